"""What is kept for how long."""

from alembic import op

from v2_assets.schema.migrations.statements import run_sql_beside

revision = "0015_retention"
down_revision = "0014_onboarding"


def upgrade() -> None:
    run_sql_beside(__file__, op.get_bind())
