"""Tokens and row-level security of the read endpoints."""

from alembic import op

from v2_assets.schema.migrations.statements import run_sql_beside

revision = "0022_endpoints"
down_revision = "0021_gate"


def upgrade() -> None:
    run_sql_beside(__file__, op.get_bind())
