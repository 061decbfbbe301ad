"""Tables of staging, identity and reference, people and teams, deals, FUB, operations."""

from alembic import op

from v2_assets.schema.migrations.statements import run_sql_beside

revision = "0001_foundation"
down_revision = None


def upgrade() -> None:
    run_sql_beside(__file__, op.get_bind())
