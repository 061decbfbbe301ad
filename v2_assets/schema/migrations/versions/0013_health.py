"""What the health signals remember."""

from alembic import op

from v2_assets.schema.migrations.statements import run_sql_beside

revision = "0013_health"
down_revision = "0012_incidents"


def upgrade() -> None:
    run_sql_beside(__file__, op.get_bind())
