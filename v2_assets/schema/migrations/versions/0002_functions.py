"""SQL helper functions of schema ops: codes of values as sources write them into values as V2 keeps them.

ops.blank_null(text) -> text              null when nothing but white space, else the text as it is
ops.epoch_ms(bigint | text) -> timestamptz    milliseconds since 1970; '' is null
ops.instant(text) -> timestamptz          ISO (UTC when it names no zone), epoch milliseconds or epoch seconds; '' is null
ops.day(text) -> date                     YYYY-MM-DD or the UTC day of anything ops.instant reads; '' is null
ops.flag(jsonb) -> boolean                true/false, 1/0, and both as text; '' and JSON null are null
ops.whole(jsonb) -> bigint                number or numeric text; '' and JSON null are null
ops.money(jsonb) -> numeric               {amount}, number or numeric text; '' and JSON null are null
ops.money_currency(jsonb) -> text         the currency of {amount, currency}, upper case; else null
ops.percent(jsonb) -> numeric             {value}, number or numeric text with or without a per-cent sign; the scale is kept
ops.state_abbreviation(text) -> text      Utah, UTAH, UT, NORTH_CAROLINA -> two letters; unknown is null
ops.address_key(street, unit, city, state, zip) -> text    one normalised line; null when all are blank
ops.address_key(one_line text) -> text    the same line from an address written in one line

All are immutable and parallel safe. A value they cannot read raises invalid_text_representation: the engine rejects
that record and no other.
"""

from alembic import op

from v2_assets.schema.migrations.statements import run_sql_beside

revision = "0002_functions"
down_revision = "0001_foundation"


def upgrade() -> None:
    run_sql_beside(__file__, op.get_bind())
