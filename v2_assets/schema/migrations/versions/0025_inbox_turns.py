"""Waiting events by connection, so that connections take turns."""

from alembic import op

from v2_assets.schema.migrations.statements import run_sql_beside

revision = "0025_inbox_turns"
down_revision = "0024_v1_numbers"


def upgrade() -> None:
    run_sql_beside(__file__, op.get_bind())
