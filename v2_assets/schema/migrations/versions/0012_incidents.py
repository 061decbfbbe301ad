"""Incidents, and the delivery of their messages."""

from alembic import op

from v2_assets.schema.migrations.statements import run_sql_beside

revision = "0012_incidents"
down_revision = "0011_webhooks"


def upgrade() -> None:
    run_sql_beside(__file__, op.get_bind())
