"""SkySlope: its staging tables and what the deals need of them."""

from alembic import op

from v2_assets.schema.migrations.statements import run_sql_beside

revision = "0006_skyslope"
down_revision = "0005_network_money"


def upgrade() -> None:
    run_sql_beside(__file__, op.get_bind())
