"""House rules: every table says what it is, and looks like the others."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import Boolean, CheckConstraint, DateTime, ForeignKeyConstraint, Numeric, Table, UniqueConstraint

from v2_assets.schema import SCHEMAS, STREAMS, metadata
from v2_assets.schema.describe import column_schema, foreign_keys, table_named

TABLES = list(metadata.tables.values())
OURS = [table for table in TABLES if table.schema in ("v2", "staging")]
V2 = [table for table in TABLES if table.schema == "v2"]
STAGING = [table for table in TABLES if table.schema == "staging"]
CLOSING = ["source", "source_updated_at", "created_at", "updated_at", "deleted_at"]


def named(table: Table) -> str:
    return table.fullname


def uniques(table: Table) -> dict[str, tuple[str, ...]]:
    return {
        str(constraint.name): tuple(column.name for column in constraint.columns)
        for constraint in table.constraints
        if isinstance(constraint, UniqueConstraint)
    }


@pytest.mark.parametrize("table", TABLES, ids=named)
def test_a_table_and_each_of_its_columns_say_in_one_sentence_what_they_are(table: Table) -> None:
    sentences = [table.comment, *(column.comment for column in table.columns)]
    for sentence in sentences:
        assert sentence
        assert sentence.endswith(".")
        assert sentence == sentence.strip()
        assert "\n" not in sentence


@pytest.mark.parametrize("table", TABLES, ids=named)
def test_a_table_tells_its_grain_key_sources_domain_freshness_and_personal_columns(table: Table) -> None:
    info = table.info
    assert set(info) == {
        "grain",
        "natural_key",
        "sources",
        "domain",
        "freshness",
        "personal",
        "v1",
        "derived",
        "may_be_empty",
    }
    assert info["grain"]
    assert info["domain"]
    assert info["freshness"] in ("realtime", "hourly", "daily", "seed")
    assert set(info["natural_key"]) <= set(table.columns.keys())
    assert set(info["personal"]) <= set(table.columns.keys())
    assert len(set(info["personal"])) == len(info["personal"])
    assert info["sources"] or table.schema == "ops"
    assert info["may_be_empty"] is None or info["may_be_empty"].endswith(".")


@pytest.mark.parametrize("table", OURS, ids=named)
def test_the_natural_key_is_the_unique_constraint_named_after_the_table(table: Table) -> None:
    assert uniques(table)[f"{table.name}_key"] == table.info["natural_key"]


@pytest.mark.parametrize("table", OURS, ids=named)
def test_a_natural_key_without_null_parts_needs_no_exception_and_one_with_them_counts_nulls_once(table: Table) -> None:
    key = next(c for c in table.constraints if isinstance(c, UniqueConstraint) and c.name == f"{table.name}_key")
    nullable = any(column.nullable for column in key.columns)
    assert bool(key.dialect_options["postgresql"]["nulls_not_distinct"]) == nullable


@pytest.mark.parametrize("table", [t for t in TABLES if t.schema == "ops"], ids=named)
def test_an_operations_table_is_found_by_its_key(table: Table) -> None:
    primary = tuple(column.name for column in table.primary_key.columns)
    assert table.info["natural_key"] in (primary, *uniques(table).values())


@pytest.mark.parametrize("table", V2, ids=named)
def test_a_v2_table_begins_with_its_id_and_ends_with_provenance_and_times(table: Table) -> None:
    names = list(table.columns.keys())
    assert names[0] == "id"
    assert names[-5:] == CLOSING
    assert not table.c.source.nullable
    assert table.info["derived"] == (table.info["sources"] == ("derived",))


@pytest.mark.parametrize("table", [table for table in V2 if table.name != "address"], ids=named)
def test_facts_stand_before_the_tables_they_point_to(table: Table) -> None:
    """Reading order: key, facts, parents, provenance. An address is read in the order it is written in."""
    own = [column.name for column in table.columns if column.name not in CLOSING]
    parents = {column for column, *_ in foreign_keys(table)} - set(table.info["natural_key"])
    assert parents == set(own[len(own) - len(parents) :])


@pytest.mark.parametrize("table", TABLES, ids=named)
def test_names_are_plain_and_fit_postgres(table: Table) -> None:
    rules = [str(constraint.name) for constraint in table.constraints] + [str(index.name) for index in table.indexes]
    for name in [table.name, *table.columns.keys(), *rules]:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", name), name
        assert len(name) <= 63, name
    assert table.schema in SCHEMAS
    assert len(set(rules)) == len(rules)


@pytest.mark.parametrize("table", TABLES, ids=named)
def test_foreign_keys_wait_for_the_commit_and_are_named_after_their_column(table: Table) -> None:
    for key in (c for c in table.constraints if isinstance(c, ForeignKeyConstraint)):
        assert len(key.column_keys) == 1
        assert key.name == f"{table.name}_{key.column_keys[0]}_fkey"
        assert key.deferrable
        assert key.initially == "DEFERRED"


@pytest.mark.parametrize("table", TABLES, ids=named)
def test_every_check_has_a_name_of_its_own(table: Table) -> None:
    names = [str(c.name) for c in table.constraints if isinstance(c, CheckConstraint)]
    assert all(re.fullmatch(rf"{table.name}_[a-z0-9_]+_check", name) for name in names)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("table", TABLES, ids=named)
def test_money_has_two_decimals_shares_have_four_and_instants_have_a_zone(table: Table) -> None:
    for column in table.columns:
        if isinstance(column.type, Numeric) and table.schema != "ops":
            assert (column.type.precision, column.type.scale) in {(14, 2), (24, 2), (9, 4), (12, 4), (9, 6), (28, 6)}, (
                column.name
            )
        if isinstance(column.type, DateTime):
            assert column.type.timezone, column.name


@pytest.mark.parametrize("table", V2, ids=named)
def test_a_v2_table_is_indexed_by_the_user_it_belongs_to(table: Table) -> None:
    if "user_id" not in table.columns:
        return
    leading = {next(iter(index.columns)).name for index in table.indexes}
    leading |= {columns[0] for columns in uniques(table).values()}
    assert "user_id" in leading


@pytest.mark.parametrize("table", V2, ids=named)
def test_a_question_has_a_boolean_for_an_answer(table: Table) -> None:
    for column in table.columns:
        if column.name.startswith("is_"):
            assert isinstance(column.type, Boolean), column.name
        if isinstance(column.type, Boolean):
            assert (column.comment or "").startswith("Whether "), column.name


def test_every_stream_has_its_staging_table_and_a_declared_v2_table() -> None:
    assert {f"staging.{stream.table}" for stream in STREAMS} == {table.fullname for table in STAGING}
    assert len({(stream.integration, stream.entity) for stream in STREAMS}) == len(STREAMS)
    for stream in STREAMS:
        assert stream.table == f"stage_{stream.integration}_{stream.entity}"
        source = {"xano": "v1"}.get(stream.integration, stream.integration)
        assert source in table_named(stream.primary).info["sources"]


def test_all_staging_tables_have_one_layout() -> None:
    def layout(table: Table) -> object:
        swap = re.compile(re.escape(table.name))
        checks = {
            swap.sub("T", str(c.name)): str(c.sqltext) for c in table.constraints if isinstance(c, CheckConstraint)
        }
        indexes = {
            swap.sub("T", str(i.name)): ([c.name for c in i.columns], str(i.dialect_options["postgresql"]["where"]))
            for i in table.indexes
        }
        return [(c.name, str(c.type), c.nullable) for c in table.columns], checks, indexes

    layouts = [layout(table) for table in STAGING]
    assert all(each == layouts[0] for each in layouts)


def test_credentials_and_staged_payloads_count_as_personal() -> None:
    assert {"api_key", "api_secret"} <= set(table_named("credentials").info["personal"])
    assert all(table.info["personal"] == ("payload",) for table in STAGING)


@pytest.mark.parametrize("table", V2, ids=named)
def test_columns_that_name_or_reach_a_person_are_marked_personal(table: Table) -> None:
    telling = {"email", "email2", "phone", "cell_phone", "first_name", "last_name", "birthdate", "people_name"}
    assert telling & set(table.columns.keys()) <= set(table.info["personal"])


def test_the_column_schema_tells_type_meaning_and_whether_a_column_is_unique() -> None:
    rows = {name: rest for name, *rest in column_schema("user")}
    assert rows["id"] == ["bigint", "Our own number of the row, stable for its life.", False, True]
    assert rows["email"][0] == "text"
    assert rows["email"][2:] == [False, True]
    assert rows["last_login"][0] == "timestamptz"
    assert {name: rest[0] for name, *rest in column_schema("v2.fub_people")}["tags"] == "text[]"
    assert {name: rest[0] for name, *rest in column_schema("transaction")}["sale_price"] == "numeric(14, 2)"


def test_a_table_that_is_not_declared_is_an_error_naming_it() -> None:
    with pytest.raises(KeyError, match="no_such_table"):
        column_schema("no_such_table")
