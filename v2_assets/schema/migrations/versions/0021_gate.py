"""The gate of the switch."""

from alembic import op

from v2_assets.schema.migrations.statements import run_sql_beside

revision = "0021_gate"
down_revision = "0020_comparison"


def upgrade() -> None:
    run_sql_beside(__file__, op.get_bind())
