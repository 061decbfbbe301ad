"""V1's numbers of records."""

from alembic import op

from v2_assets.schema.migrations.statements import run_sql_beside

revision = "0024_v1_numbers"
down_revision = "0023_shadow"


def upgrade() -> None:
    run_sql_beside(__file__, op.get_bind())
