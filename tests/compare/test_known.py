"""The list of reviewed differences: what it excuses, when it stops, and how a mistake in it is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import psycopg
import pytest

from resources.errors import ConfigError
from resources.postgres import Database
from v2_assets.compare import known

TODAY = date(2026, 12, 1)


def entry(**changes: Any) -> str:
    told = {
        "name": "a", "table": "agent", "kind": "changed", "columns": ["city"], "rule": "any", "why": "w", "owner": "o",
        "reviewed_on": date(2026, 11, 1), "expires_on": date(2027, 1, 1),
    } | changes  # fmt: skip
    lines = (
        f"{name} = {value.isoformat() if isinstance(value, date) else json.dumps(value)}"
        for name, value in told.items()
        if value is not None
    )
    return "\n[[difference]]\n" + "\n".join(lines) + "\n"


@pytest.fixture
def cur(database: Database) -> Iterator[psycopg.Cursor[Any]]:
    """A comparison's temporary table, with the columns that matter here."""
    with database.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "create temp table comparison_found (n serial, kind text, keys jsonb, cells jsonb, reason text, known text,"
            " evidence jsonb)"
        )
        yield cursor


def found(cur: psycopg.Cursor[Any], kind: str, keys: Any = None, **cells: Any) -> None:
    cur.execute(
        "insert into comparison_found (kind, keys, cells) values (%s, %s, %s)",
        [kind, json.dumps(keys or {}), json.dumps(cells)],
    )


def excused(cur: psycopg.Cursor[Any], text: str, today: date = TODAY, table: str = "agent") -> list[str | None]:
    """The name by which each row was excused, None where it was not."""
    known.mark(cur, table, known.register(text, today))
    rows = cur.execute("select known, reason from comparison_found order by n").fetchall()
    assert all((name is None) == (reason is None) for name, reason in rows)
    return [name for name, _ in rows]


def test_the_projects_own_list_can_be_read_and_nothing_in_it_has_ended_when_it_was_reviewed() -> None:
    held = known.register()
    assert held.entries
    assert all(entry.reviewed_on < entry.expires_on for entry in held.entries)


@pytest.mark.parametrize(
    ("rule", "amount", "same", "other"),
    [
        ("any", 0, ("x", 4), None),
        ("case", 0, ("Ann ", "ann"), ("Ann", "Anna")),
        ("blank", 0, ("", None), ("", "x")),
        ("rounding", 0.5, (10, 10.5), (10, 10.6)),
        ("rounding", 0.5, (10, 9.5), ("10", 10.5)),
        ("clock", 7, ("2026-01-02T03:00Z", "2026-01-02T10:00Z"), ("2026-01-02T03:00Z", "2026-01-02T03:07Z")),
        ("clock", 7, ("2026-01-02T03:00Z", "2026-01-02T02:15Z"), ("2026-01-02T03:00Z", "2026-01-02T11:00Z")),
    ],
)  # fmt: skip
def test_a_rule_excuses_what_it_names_and_nothing_else(
    cur: Any, rule: str, amount: float, same: Any, other: Any
) -> None:
    found(cur, "changed", city=same)
    if other:
        found(cur, "changed", city=other)
    assert excused(cur, entry(rule=rule, amount=amount)) == ["a", None][: 2 if other else 1]


def test_all_differing_cells_of_a_row_must_be_excused_each_by_any_entry(cur: Any) -> None:
    found(cur, "changed", city=["A", "a"], state=["", None])
    found(cur, "changed", city=["A", "a"], title=["x", "y"])
    text = entry(rule="case") + entry(name="b", columns=["state"], rule="blank")
    assert excused(cur, text) == ["a", None]
    cur.execute("select evidence from comparison_found where n = 1")
    assert cur.fetchone()[0] == {"columns": {"city": "a", "state": "b"}}


@pytest.mark.parametrize("kind", ["missing", "extra"])
def test_rows_of_one_side_are_excused_by_how_their_key_begins(cur: Any, kind: str) -> None:
    found(cur, kind, {"agent_id_raw": "test-1"})
    found(cur, kind, {"agent_id_raw": "real-1"})
    found(cur, "missing" if kind == "extra" else "extra", {"agent_id_raw": "test-2"})
    text = entry(kind=kind, columns=["agent_id_raw"], rule="starts_with", text="test-")
    assert excused(cur, text) == ["a", None, None]


def test_an_entry_that_has_ended_excuses_nothing_and_is_listed(cur: Any) -> None:
    found(cur, "changed", city=["A", "a"])
    assert excused(cur, entry(), today=date(2027, 1, 1)) == [None]
    held = known.register(entry(), date(2027, 1, 1))
    assert (held.in_force, [each.name for each in held.expired]) == ((), ["a"])
    assert excused(cur, entry(), today=date(2026, 12, 31)) == ["a"]


def test_an_entry_is_about_its_own_table(cur: Any) -> None:
    found(cur, "changed", city=["A", "a"])
    assert excused(cur, entry(), table="team") == [None]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"table": "agents"}, "no table agents"),
        ({"columns": ["town"]}, "no column town"),
        ({"columns": []}, "names no column"),
        ({"kind": "missing"}, "starts_with"),
        ({"rule": "starts_with"}, "starts_with"),
        ({"kind": "extra", "rule": "starts_with"}, "natural key"),
        ({"rule": "roughly"}, "rule"),
        ({"owner": None}, "owner"),
        ({"colour": "red"}, "colour"),
        ({"expires_on": date(2026, 10, 1)}, "ends before"),
    ],
)
def test_a_mistake_is_told_with_the_entrys_name(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words) as told:
        known.register(entry(**changes))
    assert "known.toml, a:" in str(told.value)


def test_a_name_twice_and_a_file_that_is_no_toml_are_told() -> None:
    with pytest.raises(ConfigError, match="a twice"):
        known.register(entry() + entry())
    with pytest.raises(ConfigError, match="cannot be read"):
        known.register("[[difference")
