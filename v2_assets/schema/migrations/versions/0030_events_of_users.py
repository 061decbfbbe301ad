"""What a contact did is its user's, in a column of its own, so that a page finds it without reading others'."""

from alembic import op

from v2_assets.schema.migrations.statements import run_sql_beside

revision = "0030_events_of_users"
down_revision = "0029_living_copies"


def upgrade() -> None:
    run_sql_beside(__file__, op.get_bind())
