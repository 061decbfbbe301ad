"""Keys in doubt, and when their source is asked about them."""

from alembic import op

from v2_assets.schema.migrations.statements import run_sql_beside

revision = "0032_credential_probe"
down_revision = "0031_inbox_turns"


def upgrade() -> None:
    run_sql_beside(__file__, op.get_bind())
