"""What retention removed."""

from alembic import op

from v2_assets.schema.migrations.statements import run_sql_beside

revision = "0019_retention_runs"
down_revision = "0018_freshness"


def upgrade() -> None:
    run_sql_beside(__file__, op.get_bind())
