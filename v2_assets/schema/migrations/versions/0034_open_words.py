"""Words of a source that no code table has: noted in the staged row."""

from alembic import op

from v2_assets.schema.migrations.statements import run_sql_beside

revision = "0034_open_words"
down_revision = "0033_day_of_close"


def upgrade() -> None:
    run_sql_beside(__file__, op.get_bind())
