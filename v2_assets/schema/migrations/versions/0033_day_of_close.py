"""The day that a source tells as a day."""

from alembic import op

from v2_assets.schema.migrations.statements import run_sql_beside

revision = "0033_day_of_close"
down_revision = "0032_credential_probe"


def upgrade() -> None:
    run_sql_beside(__file__, op.get_bind())
