"""V1: its staging tables."""

from alembic import op

from v2_assets.schema.migrations.statements import run_sql_beside

revision = "0008_v1"
down_revision = "0007_title"


def upgrade() -> None:
    run_sql_beside(__file__, op.get_bind())
