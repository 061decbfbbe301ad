"""Measurements over time, and the daily report drawn from them."""

from alembic import op

from v2_assets.schema.migrations.statements import run_sql_beside

revision = "0016_measurements"
down_revision = "0015_retention"


def upgrade() -> None:
    run_sql_beside(__file__, op.get_bind())
