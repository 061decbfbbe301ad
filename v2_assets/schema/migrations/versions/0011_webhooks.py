"""The inbox of webhooks and their registrations."""

from alembic import op

from v2_assets.schema.migrations.statements import run_sql_beside

revision = "0011_webhooks"
down_revision = "0010_imports"


def upgrade() -> None:
    run_sql_beside(__file__, op.get_bind())
