"""Shadow reading."""

from alembic import op

from v2_assets.schema.migrations.statements import run_sql_beside

revision = "0023_shadow"
down_revision = "0022_endpoints"


def upgrade() -> None:
    run_sql_beside(__file__, op.get_bind())
