"""Waiting events by connection, so that connections take turns."""

from alembic import op

from v2_assets.schema.migrations.statements import run_sql_beside

revision = "0031_inbox_turns"
down_revision = "0030_events_of_users"


def upgrade() -> None:
    run_sql_beside(__file__, op.get_bind())
