"""The network and the money that reZEN pays: down-lines, contributions, payments, equity."""

from alembic import op

from v2_assets.schema.migrations.statements import run_sql_beside

revision = "0005_network_money"
down_revision = "0004_crm_users"


def upgrade() -> None:
    run_sql_beside(__file__, op.get_bind())
