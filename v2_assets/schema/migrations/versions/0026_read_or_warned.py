"""What cannot be read costs its field, not the record: readers that never fail for a value, warnings, parked keys.

ops.decimal(text) -> numeric              an amount, thousands grouped by commas or not; null for anything else
ops.small(jsonb) -> smallint              ops.whole where the column is smallint

ops.flag, ops.whole, ops.percent, ops.instant, ops.day, ops.epoch_ms and ops.skyslope_day return null for what they
cannot read and for days outside of 1900 to 2199. The record's model has told it by then, as a reason to refuse the
record or as a warning. Money stays strict: an amount that no model has checked is an error here, never null.
"""

from alembic import op

from v2_assets.schema.migrations.statements import run_sql_beside

revision = "0026_read_or_warned"
down_revision = "0025_definers"


def upgrade() -> None:
    run_sql_beside(__file__, op.get_bind())
