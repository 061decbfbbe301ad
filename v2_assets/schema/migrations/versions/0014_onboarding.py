"""Onboarding step by step."""

from alembic import op

from v2_assets.schema.migrations.statements import run_sql_beside

revision = "0014_onboarding"
down_revision = "0013_health"


def upgrade() -> None:
    run_sql_beside(__file__, op.get_bind())
