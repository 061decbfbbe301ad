"""Tables that are computed from others: income, totals, aggregates."""

from alembic import op

from v2_assets.schema.migrations.statements import run_sql_beside

revision = "0009_aggregates"
down_revision = "0008_v1"


def upgrade() -> None:
    run_sql_beside(__file__, op.get_bind())
