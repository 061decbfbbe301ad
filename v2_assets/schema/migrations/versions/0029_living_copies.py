"""Every copy of a record knows its V2 row; what a sweep proved; rows that were deleted although a copy lives."""

from alembic import op

from v2_assets.schema.migrations.statements import run_sql_beside

revision = "0029_living_copies"
down_revision = "0028_backlog_attempt"


def upgrade() -> None:
    run_sql_beside(__file__, op.get_bind())
