"""Every V2 table says where V1 had its rows, in words that are true of both sides."""

from __future__ import annotations

from typing import Any

import pytest

from resources.apis.xano.tables import TABLES
from v2_assets.compare.mapping import MappingError, V1Mapping, mapping_of, mappings, v1_columns, v1_tables, why_not
from v2_assets.schema import metadata

V2 = [table for table in metadata.tables.values() if table.schema == "v2"]


@pytest.mark.parametrize("table", V2, ids=lambda table: table.name)
def test_a_table_is_found_in_v1_or_says_why_it_is_not_there(table: Any) -> None:
    mapping = mapping_of(table.name)
    if mapping is None:
        assert why_not(table.name)
        return
    for part in (mapping, *mapping.also):
        assert part.keys
        for rule in (*part.keys, *part.columns):
            assert rule.v2 in table.columns
            assert rule.v1 in v1_columns(part.table)
        assert {rule.kind for rule in part.keys} <= {"exact", "pointer", "code", "instant"}


def test_every_table_that_an_import_reads_is_compared() -> None:
    assert set(TABLES) <= {part.table for mapping in mappings().values() for part in (mapping, *mapping.also)}


@pytest.mark.parametrize("name", TABLES)
def test_every_column_that_an_import_reads_is_compared_or_named_as_only_v1s(name: str) -> None:
    parts = [part for mapping in mappings().values() for part in (mapping, *mapping.also) if part.table == name]
    told = {rule.v1 for part in parts for rule in (*part.keys, *part.columns)}
    told |= {column for part in parts for column in (part.only_v1 or {})}
    assert set(TABLES[name].columns) - told <= {"id", "created_at", "updated_at"}


def test_living_tables_are_read_for_the_comparison_and_not_imported() -> None:
    assert {"fub_people", "fub_calls", "network_member", "income", "revshare_payment", "commission_payment"} <= set(
        v1_tables()
    ) - set(TABLES)
    assert "api_key" not in {column for table in v1_tables().values() for column in table.columns}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"table": "agent", "colour": "red"}, "says colour of V1"),
        ({"table": "agent", "codes": {"no_such": "agent_status"}}, "has no column no_such"),
        ({"table": "agent", "columns": {"phone": "no_such"}}, "V1's agent has no column no_such"),
        ({"table": "agent", "where": ("no_such",)}, "V1's agent has no column no_such"),
        ({"table": "agent", "forms": {"phone": "odd"}}, "unknown form 'odd'"),
        ({"table": "director"}, "cannot be found in V1's director by agent_id_raw"),
        ({"table": "agent", "not_in_v1": "because"}, "says where it is there"),
    ],
)
def test_words_that_cannot_be_true_are_refused(
    words: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    v1_tables()
    monkeypatch.setitem(metadata.tables["v2.agent"].info, "v1", words)
    with pytest.raises(MappingError, match=message):
        mapping_of.__wrapped__("agent")


def test_a_row_of_the_user_table_is_the_users_own() -> None:
    mapping = mapping_of("user")
    assert isinstance(mapping, V1Mapping)
    assert mapping.user is not None
    assert (mapping.user.v2, mapping.user.target) == ("id", "user")
