"""Shadow reading: how often both systems were asked the same, and in what their answers differ. Counts only, no values.

Not here: how answers are compared (`v2_assets.api.shadow`), and what the gate makes of it (`v2_assets.gate`).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Date, PrimaryKeyConstraint

from v2_assets.schema.vocabulary import number, ops_table, ts, words


def _day() -> Column[Any]:
    return Column("day", Date(), nullable=False, comment="The day, in UTC.")


shadow_count = ops_table(
    "shadow_count",
    words("endpoint", "The endpoint's path.", required=True),
    _day(),
    number("requests", "Requests that both systems answered and that were compared.", required=True, default="0"),
    number("same", "Of these, requests whose answers were the same.", required=True, default="0"),
    number("failed", "Requests that V2 answered with an error, or not in time.", required=True, default="0"),
    number("skipped", "Requests that were not compared because too many waited.", required=True, default="0"),
    PrimaryKeyConstraint("endpoint", "day"),
    grain="one endpoint on one day",
    key=("endpoint", "day"),
)

shadow_difference = ops_table(
    "shadow_difference",
    words("endpoint", "The endpoint's path.", required=True),
    _day(),
    words("kind", "What differs, e.g. value, row or status.", required=True),
    words("field", "The field, by V2's name; empty for what is no field.", required=True),
    words("reason", "Why, in the words of the comparison.", required=True),
    number("times", "How often.", required=True, default="0"),
    ts("last_at", "When it was last seen.", required=True, default="now()"),
    PrimaryKeyConstraint("endpoint", "day", "kind", "field", "reason"),
    grain="one way in which one endpoint's answers differed on one day",
    key=("endpoint", "day", "kind", "field", "reason"),
)
