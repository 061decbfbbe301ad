"""What the backlog sensor tried."""

from alembic import op

from v2_assets.schema.migrations.statements import run_sql_beside

revision = "0028_backlog_attempt"
down_revision = "0027_backups"


def upgrade() -> None:
    run_sql_beside(__file__, op.get_bind())
