"""The steps of an onboarding."""

from alembic import op

from v2_assets.schema.migrations.statements import run_sql_beside

revision = "0017_onboarding_steps"
down_revision = "0016_measurements"


def upgrade() -> None:
    run_sql_beside(__file__, op.get_bind())
