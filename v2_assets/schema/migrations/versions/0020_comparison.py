"""V1 beside V2: runs and differences."""

from alembic import op

from v2_assets.schema.migrations.statements import run_sql_beside

revision = "0020_comparison"
down_revision = "0019_retention_runs"


def upgrade() -> None:
    run_sql_beside(__file__, op.get_bind())
