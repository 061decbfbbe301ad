"""Imported files and the identity of people across systems."""

from alembic import op

from v2_assets.schema.migrations.statements import run_sql_beside

revision = "0010_imports"
down_revision = "0009_aggregates"


def upgrade() -> None:
    run_sql_beside(__file__, op.get_bind())
