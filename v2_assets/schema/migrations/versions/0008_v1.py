"""V1: its staging tables.

ops.v1_raw(record jsonb, name text) → text: the row's id at its source, or `v1:<id>` where V1 never knew one.
ops.v1_code(value text) → text: a word as code maps hold it, upper case with underscores.
"""

from alembic import op

from v2_assets.schema.migrations.statements import run_sql_beside

revision = "0008_v1"
down_revision = "0007_title"


def upgrade() -> None:
    run_sql_beside(__file__, op.get_bind())
