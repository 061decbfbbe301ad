"""The backups that were made."""

from alembic import op

from v2_assets.schema.migrations.statements import run_sql_beside

revision = "0027_backups"
down_revision = "0026_read_or_warned"


def upgrade() -> None:
    run_sql_beside(__file__, op.get_bind())
