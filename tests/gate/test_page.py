"""The page: it says what is ready and why not, shows no personal value, and stays small however much differs."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2_assets.gate.masking import Mask, harmless
from v2_assets.gate.page import EXAMPLES, Count, EndpointStory, Example, Story, TableStory, draw
from v2_assets.gate.rules import Failure, Shadowed, Verdict
from v2_assets.schema import metadata

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
ACCEPTED = frozenset({"newer_at_source"})
EMPTY = Story(NOW, {}, {}, [], [], ACCEPTED)
GAP = Failure("gap", "87.0 % of V1's rows are not in V2; at most 1 % may be missing")


def count(days: int, **more: int) -> Count:
    rows = {"v1_rows": 1000, "v2_rows": 130, "missing": 0, "extra": 0, "changed": 0, "in_flight": 0} | more
    return Count(at=NOW - timedelta(days=days), complete=True, **rows)


def small() -> Story:
    people = TableStory(
        Verdict("table", "fub_people", (GAP,)),
        [count(2, missing=100), count(1, missing=870, changed=3)],
        {"never_fetched": 870, "newer_at_source": 3},
        {"people_name": 3},
        [
            Example("changed", "newer_at_source", {"fub_people_id": 7}, "people_name", "Ada Lovelace", "Ada King"),
            Example("missing", "never_fetched", {"fub_people_id": 8}, evidence={"page": 3}),
        ],
    )
    teams = TableStory(Verdict("table", "team"), [count(1)])
    endpoint = Verdict("endpoint", "/leads/fub_people", (Failure("tables", "it reads fub_people, which is not ready"),))
    return Story(
        NOW,
        {"team": teams, "fub_people": people},
        {
            "/leads/fub_people": EndpointStory(endpoint, ["fub_people"], Shadowed(120), {"unknown": 2}, 20),
            "/team_management/details": EndpointStory(
                Verdict("endpoint", "/team_management/details"), ["team"], Shadowed(100), {}, 0
            ),
        },
        [Verdict("user", "901", (GAP,)), Verdict("user", "902")],
        [{"at": NOW, "who": "ada", "action": "set", "endpoint": "/leads/fub_people", "user_id": None, "share": 20.0,
          "reason": "first week"}],
        ACCEPTED,
    )  # fmt: skip


def text(page: str) -> str:
    """What a reader sees."""
    return " ".join(html.unescape(re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL)).split())


def test_a_reader_learns_what_is_ready_what_is_not_and_exactly_why() -> None:
    seen = text(draw(small()))
    assert "V1 beside V2 not ready" in seen
    for counted in ("1 of 2 endpoints ready", "1 of 2 tables ready", "1 of 2 users ready", "20 % of users have"):
        assert counted in seen
    assert "/leads/fub_people not ready 20 % from V2 tables it reads fub_people, which is not ready" in seen
    assert "fub_people not ready 1,000 in V1 · 130 in V2 gap 87.0 % of V1's rows are not in V2" in seen
    assert "team ready 1,000 in V1" in seen
    assert "only in V1 never fetched" in seen
    assert "never fetched 870" in seen and "people_name 3" in seen
    assert "user 901 not ready gap" in seen and "user 902" not in seen
    assert "2026-03-04 12:00 ada set /leads/fub_people 20 % first week" in seen
    assert seen.index("fub_people not ready") < seen.index("team ready"), "what is not ready comes first"


def test_the_gap_is_drawn_over_time_and_the_page_loads_nothing_from_elsewhere() -> None:
    page = draw(small())
    assert page.count("<svg") == 1, "a table without a difference needs no plot"
    assert not re.search(r"""(?:src|href)=["'](?!#)|url\((?!#)|<script|@import""", page)
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_a_page_about_nothing_says_so() -> None:
    seen = text(draw(EMPTY))
    for said in ("V1 beside V2 not ready", "Nothing was compared", "There is none.", "no users", "V1 serves everybody"):
        assert said in seen


def test_hundreds_of_thousands_of_differences_make_no_large_page() -> None:
    all_tables = [table for table in metadata.tables.values() if table.schema == "v2"]
    tables = {
        table.name: TableStory(
            Verdict("table", table.name, (GAP,)),
            [count(days, missing=days * 1000, changed=days) for days in range(40, 0, -1)],
            {f"reason {number}": 50_000 + number for number in range(30)},
            {column.name: 10_000 for column in table.columns},
            [Example("changed", "unknown", {"id": n}, "email", "x" * 500, "y" * 500) for n in range(5000)],
        )
        for table in all_tables[:10]
    }
    users = [Verdict("user", str(number), (GAP,)) for number in range(100_000)]
    page, without = draw(replace(small(), tables=tables, users=users)), draw(replace(small(), tables={}, users=users))
    of_tables = (len(page) - len(without)) / len(tables) * len(all_tables)
    assert of_tables + len(without) < 2_000_000, "as large as all tables together may be"
    seen = text(page)
    assert f"Examples: {EXAMPLES} of 1,500,435 differences" in seen
    assert "100,000 of 100,000 not ready; the first 100" in seen and "user 101 " not in seen


def test_a_personal_value_is_shown_as_its_kind_and_a_mark_that_is_the_same_for_the_same_value() -> None:
    mask, other = Mask(), Mask()
    one, same, another = (mask.show("fub_people", "people_name", name) for name in ("Ada", "Ada", "Bob"))
    assert one == same != another and one.startswith("text ▒") and "Ada" not in one
    assert other.show("fub_people", "people_name", "Ada") != one, "marks cannot be tried out on another page"
    assert mask.show("fub_people", "phone", ["+1 555"]).startswith("list ▒")
    assert mask.show("user", "birthdate", date(1815, 12, 10)).startswith("date ▒")
    assert mask.show("fub_people", "no_such_column", "Ada").startswith("text ▒")
    assert mask.show("no_such_table", "id", 1).startswith("number ▒")
    assert mask.show("transaction", "sale_price", 412500) == "412500" and mask.show("user", "email", None) == "none"


PERSONAL = [
    (table.name, column)
    for table in metadata.tables.values()
    if table.schema == "v2"
    for column in table.info["personal"]
]
#: Long enough not to be found by chance in a style or a number.
SECRETS = st.text(st.characters(categories=["L", "N"]), min_size=8, max_size=30) | st.emails()


@settings(max_examples=40)
@given(st.sampled_from(PERSONAL), st.data())
def test_no_personal_value_reaches_the_page_wherever_it_stands(where: tuple[str, str], data: Any) -> None:
    table, column = where
    values = [data.draw(SECRETS) for _ in range(4)]
    wrapped = data.draw(st.sampled_from([lambda v: v, lambda v: [v], lambda v: {"name": v}]))
    example = Example(
        "changed", "unknown", {column: wrapped(values[0])}, column, wrapped(values[1]), wrapped(values[2]),
        evidence={"value": wrapped(values[3])},
    )  # fmt: skip
    story = TableStory(Verdict("table", table), [count(1)], {"unknown": 1}, {column: 1}, [example])
    page = draw(replace(EMPTY, tables={table: story}))
    for value in values:
        assert value not in page and html.escape(value) not in page and value not in html.unescape(page)


@pytest.mark.parametrize("name", ["id", "user_id", "created_at"])
def test_numbers_and_times_of_our_own_are_not_personal(name: str) -> None:
    assert harmless("transaction", name)
