"""Title orders and what belongs to them."""

from alembic import op

from v2_assets.schema.migrations.statements import run_sql_beside

revision = "0007_title"
down_revision = "0006_skyslope"


def upgrade() -> None:
    run_sql_beside(__file__, op.get_bind())
