"""How each pull went, and rejected records found without reading the others."""

from alembic import op

from v2_assets.schema.migrations.statements import run_sql_beside

revision = "0018_freshness"
down_revision = "0017_onboarding_steps"


def upgrade() -> None:
    run_sql_beside(__file__, op.get_bind())
