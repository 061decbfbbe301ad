"""Each reason is found where it is so, with the evidence that proves it; what proves nothing is unknown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg import sql

from resources.postgres import Database
from tests.compare.test_diff import THEN, Crm, bring, crm, here, moment, only, person, write
from tests.merge.stage import Staged, store
from v2_assets.compare.engine import Scope, compare
from v2_assets.compare.mapping import mappings
from v2_assets.compare.reasons import EXPLAINED, OPEN, REASONS, RED

__all__ = ["crm"]

LONG_AGO = THEN - timedelta(days=1)


def told(database: Database, table: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Kind, reason and evidence of each difference of a comparison that is made now."""
    number = compare(database, tables=[table]).id
    with database.connect() as connection:
        rows = connection.execute(
            "select kind, reason, evidence from ops.comparison_diff where run_id = %s and table_name = %s order by id",
            [number, table],
        ).fetchall()
    return [(str(kind), str(reason), evidence) for kind, reason, evidence in rows]


def stage(database: Database, table: str, source_id: str, payload: Mapping[str, Any] | None = None) -> int:
    """A pending record; returns the number of its staged row."""
    store(database, [Staged(table, source_id, payload or {"id": source_id})])
    with database.connect() as connection:
        query = sql.SQL("select max(id) from {}").format(sql.Identifier("staging", table))
        return int(connection.execute(query).fetchall()[0][0])


def fate(database: Database, table: str, number: int, **columns: Any) -> None:
    with database.connect() as connection:
        for name, value in columns.items():
            connection.execute(
                sql.SQL("update {} set {} = %s where id = %s").format(
                    sql.Identifier("staging", table), sql.Identifier(name)
                ),
                [json.dumps(value) if isinstance(value, dict) else value, number],
            )


def processed(database: Database, table: str, number: int, v2_id: int) -> None:
    with database.connect() as connection:
        connection.execute(
            sql.SQL("update {} set status = 'processed', v2_id = %s, processed_at = now() where id = %s").format(
                sql.Identifier("staging", table)
            ),
            [v2_id, number],
        )


def test_every_reason_is_either_an_excuse_or_work_or_red() -> None:
    words = {reason for reasons in REASONS.values() for reason in reasons}
    assert words == EXPLAINED | OPEN | RED
    assert not EXPLAINED & OPEN
    assert not (EXPLAINED | OPEN) & RED


# --- missing rows that are staged -----------------------------------------------------------------------------------

STAGE = "stage_xano_title_users"


@pytest.fixture
def staged(database: Database) -> tuple[Database, int]:
    """A row that V1 has, that V2 lacks, and that is staged and pending."""
    bring(database, title_users=[{"id": 5, "title_user_id_raw": "ann"}])
    write(database, "user", [{"email": "ada@example.test"}])
    return database, stage(database, STAGE, "5", {"id": 5, "title_user_id_raw": "ann"})


def test_a_staged_record_tells_that_it_waits_for_its_merge(staged: Any) -> None:
    database, number = staged
    [(kind, reason, evidence)] = told(database, "title_users")
    assert (kind, reason) == ("missing", "pending")
    assert (evidence["stage"], evidence["staged_id"]) == (STAGE, number)


@pytest.mark.parametrize("status", ["filtered", "rejected"])
def test_a_refused_record_tells_the_rule(staged: Any, status: str) -> None:
    database, number = staged
    fate(database, STAGE, number, status_reason="a_rule", status_detail={"field": "email"}, status=status)
    [(_, reason, evidence)] = told(database, "title_users")
    assert (reason, evidence["rule"], evidence["field"]) == (status, "a_rule", "email")


def test_a_deferred_record_tells_the_parent_it_waits_for(staged: Any) -> None:
    database, number = staged
    fate(database, STAGE, number, waits_for="user/9", status_reason="missing_parent", status="deferred")
    [(_, reason, evidence)] = told(database, "title_users")
    assert (reason, evidence["waits_for"]) == ("deferred", "user/9")


def test_a_duplicate_tells_of_which(staged: Any) -> None:
    database, number = staged
    other = stage(database, STAGE, "6")
    [row] = write(database, "title_users", [{"title_user_id_raw": "anna", "source": "v1"}])
    processed(database, STAGE, other, row)
    fate(database, STAGE, number, duplicate_of=other, status_reason="same_record", status="duplicate")
    reason, evidence = missing(database)
    assert (reason, evidence["duplicate_of"], evidence["v2_id"]) == ("duplicate", other, row)
    # What it is a copy of says what became of it.
    fate(database, STAGE, other, status="pending")
    assert missing(database)[0] == "pending"
    processed(database, STAGE, other, row)
    with database.connect() as connection:
        connection.execute("update v2.title_users set deleted_at = now()")
    reason, evidence = missing(database)
    assert (reason, evidence["why"]) == ("bug", "v2_deleted_it")
    fate(database, STAGE, other, missed_sweeps=2)
    assert missing(database)[0] == "deleted_at_source"
    with database.connect() as connection:
        connection.execute("delete from v2.title_users")
    reason, evidence = missing(database)
    assert (reason, evidence["why"]) == ("bug", "leads_to_no_row")


def missing(database: Database) -> tuple[str, dict[str, Any]]:
    [found] = [(reason, evidence) for kind, reason, evidence in told(database, "title_users") if kind == "missing"]
    return found


def test_a_record_that_v2_holds_under_another_key_is_a_duplicate_of_that_row_if_it_says_that_key(staged: Any) -> None:
    database, number = staged
    [row] = write(database, "title_users", [{"title_user_id_raw": "anna", "source": "v1"}])
    processed(database, STAGE, number, row)
    reason, evidence = missing(database)
    assert (reason, evidence["v2_id"], evidence["why"]) == ("bug", row, "v2_has_another_key")
    fate(database, STAGE, number, payload={"id": 5, "title_user_id_raw": "anna"})
    reason, evidence = missing(database)
    assert (reason, evidence["v2_id"], evidence["why"]) == ("duplicate", row, "v1_has_another_key")


def test_a_row_that_v2_deleted_is_gone_at_its_source_only_if_its_record_is(staged: Any) -> None:
    database, number = staged
    [row] = write(database, "title_users", [{"title_user_id_raw": "anna", "source": "title", "deleted_at": THEN}])
    processed(database, STAGE, number, row)
    reason, evidence = missing(database)
    assert (reason, evidence["why"], evidence["v2_id"]) == ("bug", "v2_deleted_it", row)
    fate(database, STAGE, number, missed_sweeps=2)
    assert missing(database)[0] == "deleted_at_source"
    processed(database, STAGE, number, 999_999)
    assert missing(database)[0] == "unknown"


def test_a_record_that_calls_itself_deleted_excuses_its_row(crm: Crm) -> None:
    crm.v1([], fub_deals=[{"id": 9, "fub_account_id": 70, "fub_deal_id": 4}])
    deleted = {"fub_account_id": crm.accounts[0], "fub_deal_id": 4, "source": "fub", "deleted_at": THEN}
    [row] = write(crm.database, "fub_deals", [deleted])
    for status, reason in (("Deleted", "deleted_at_source"), ("Active", "bug")):
        store(
            crm.database,
            [Staged("stage_fub_deals", "4", {"id": 4, "status": status}, account_ref=f"fub/51/{crm.users[0]}")],
        )
        with crm.database.connect() as connection:
            [(number,)] = connection.execute("select id from staging.stage_fub_deals").fetchall()
        processed(crm.database, "stage_fub_deals", number, row)
        assert [found[1] for found in told(crm.database, "fub_deals")] == [reason]


def test_a_row_that_ended_with_its_owner_is_as_gone_as_that_and_one_of_which_staging_knows_nothing_is_long_gone(
    crm: Crm,
) -> None:
    crm.v1([], fub_calls=[{"id": 9, "fub_account_id": 70, "call_id": 4}])
    [owner] = write(crm.database, "fub_people", [here(crm, 1, deleted_at=THEN)])
    call = {"fub_account_id": crm.accounts[0], "call_id": 4, "fub_people_id": owner, "source": "fub"}
    [row] = write(crm.database, "fub_calls", [call | {"deleted_at": THEN}])
    number = stage(crm.database, "stage_fub_calls", "4")
    processed(crm.database, "stage_fub_calls", number, row)
    with crm.database.connect() as connection:
        connection.execute("update staging.stage_fub_calls set account_ref = 'fub/51/1'")
    [(_, reason, evidence)] = told(crm.database, "fub_calls")
    assert (reason, evidence["with"]) == ("deleted_at_source", "fub_people")
    with crm.database.connect() as connection:
        connection.execute("update v2.fub_people set deleted_at = null")
    assert [reason for _, reason, _ in told(crm.database, "fub_calls")] == ["bug"]
    with crm.database.connect() as connection:
        connection.execute("delete from staging.stage_fub_calls")
    [(_, reason, evidence)] = told(crm.database, "fub_calls")
    assert (reason, evidence["v2_id"]) == ("deleted_at_source", row)


# --- missing rows that V1 itself contradicts --------------------------------------------------------------------------


def test_a_key_that_v1_has_twice_leaves_its_older_rows_over_and_excuses_no_loss(crm: Crm) -> None:
    rows = [person(1, user_id=900) | {"id": n, "updated_at": moment(n)} for n in (3, 4, 5)]
    crm.v1(rows)
    found = told(crm.database, "fub_people")
    assert sorted(reason for _, reason, _ in found) == ["never_fetched", "v1_wrong", "v1_wrong"]
    assert [evidence for _, reason, evidence in found if reason == "v1_wrong"] == [{"same_key_as": "5"}] * 2
    write(crm.database, "fub_people", [here(crm, 1, user_id=crm.users[0])])
    assert [each[:2] for each in told(crm.database, "fub_people")] == [("missing", "v1_wrong")] * 2
    for user, missing in zip(crm.users, (2, 0), strict=True):
        one = only(compare(crm.database, tables=["fub_people"], scope=Scope(users=(user,))), "fub_people")
        assert (one.missing, one.rows_v1) == (missing, missing + missing // 2)


def test_a_row_whose_parent_v1_does_not_have_either_is_wrong_and_one_whose_parent_v2_lacks_is_not(crm: Crm) -> None:
    nowhere, lacking = {"fub_account_id": 999}, {"fub_account_id": 72}
    crm.v1([person(1) | nowhere | {"created_at": moment(0)}, person(2) | lacking | {"created_at": moment(0)}])
    with crm.database.connect() as connection:
        connection.execute("insert into v1.fub_accounts (id, account_id_raw) values ('72', 53)")
    found = {reason: evidence for _, reason, evidence in told(crm.database, "fub_people")}
    assert found.keys() == {"v1_wrong", "never_fetched"}
    wrong = found["v1_wrong"]
    assert (wrong["without_parent"], wrong["v1_id"]) == ("fub_accounts", "999")
    with crm.database.connect() as connection:
        # Parents that were read before the row came may have got one more since.
        connection.execute("update ops.v1_snapshot set taken_at = %s where table_name = 'fub_accounts'", [LONG_AGO])
    assert {reason for _, reason, _ in told(crm.database, "fub_people")} == {"never_fetched"}


# --- missing rows that no stream has staged -------------------------------------------------------------------------


def connect(crm: Crm, **columns: Any) -> None:
    values = {"user_id": crm.users[0], "platform": "fub", "account_id": "51", "state": "ok", "active": True} | columns
    write(crm.database, "credentials", [values])


def read(crm: Crm, **columns: Any) -> None:
    """How far the stream of contacts is, of the first user."""
    names = {"cursor": {}, "status": "idle"} | columns
    with crm.database.connect() as connection:
        connection.execute(
            "insert into ops.sync_state"
            " (integration, entity, account_ref, user_id, cursor, status, last_full_at, error)"
            " values ('fub', 'people', %s, %s, %s, %s, %s, %s)",
            [
                f"fub/51/{crm.users[0]}", crm.users[0], json.dumps(names["cursor"]), names["status"],
                names.get("last_full_at"), json.dumps(names["error"]) if "error" in names else None,
            ],
        )  # fmt: skip


def one_missing(crm: Crm, **columns: Any) -> tuple[str, dict[str, Any]]:
    crm.v1([person(1, user_id=900, **columns)])
    [(kind, reason, evidence)] = told(crm.database, "fub_people")
    assert kind == "missing"
    return reason, evidence


def test_a_user_without_any_connection_was_never_read(crm: Crm) -> None:
    reason, evidence = one_missing(crm)
    assert (reason, evidence) == ("never_fetched", {"why": "no_connection", "integrations": ["fub"]})


@pytest.mark.parametrize(
    ("connection", "why"),
    [({"active": False}, "switched_off"), ({"state": "needs_reconnect"}, "needs_reconnect"), ({}, "never_synced")],
)
def test_a_connection_that_was_never_used_tells_how_it_stands(crm: Crm, connection: Any, why: str) -> None:
    connect(crm, **connection)
    reason, evidence = one_missing(crm)
    assert (reason, evidence["why"], evidence["stream"]) == ("never_fetched", why, "fub/people")


def test_a_reading_that_broke_off_tells_where_and_why(crm: Crm) -> None:
    connect(crm)
    error = {"code": "not_understood"}
    read(crm, status="failed", error=error, cursor={"current": {"pages": 3, "records": 300}})
    reason, evidence = one_missing(crm)
    assert (reason, evidence["why"], evidence["pages"], evidence["records"]) == (
        "never_fetched", "not_understood", "3", "300",
    )  # fmt: skip


def test_a_reading_that_has_not_ended_yet_and_one_that_is_left_out_say_so(crm: Crm) -> None:
    connect(crm)
    read(crm)
    assert one_missing(crm)[1]["why"] == "first_pass_unfinished"
    with crm.database.connect() as connection:
        connection.execute("update ops.sync_state set status = 'excluded'")
    assert one_missing(crm)[1]["why"] == "excluded"


def swept(crm: Crm, started_at: datetime) -> None:
    with crm.database.connect() as connection:
        connection.execute(
            "insert into ops.sweep (account_ref, integration, entity, started_at, completed_at, applied_at)"
            " values (%s, 'fub', 'people', %s, now(), now())",
            [f"fub/51/{crm.users[0]}", started_at],
        )


def test_what_a_whole_reading_did_not_meet_though_v1_had_it_is_not_visible_to_the_key(crm: Crm) -> None:
    connect(crm)
    read(crm, last_full_at=THEN)
    reason, evidence = one_missing(crm, created_at=moment(-1))
    assert reason == "not_visible_to_key"
    assert evidence["account_ref"] == f"fub/51/{crm.users[0]}"
    assert evidence["last_full_at"] > evidence["in_v1_at"]


@pytest.mark.parametrize(
    "columns", [{"created_at": moment(1)}, {"created_at": moment(-9), "updated_at": moment(1)}, {}]
)
def test_a_reading_that_ended_before_v1_had_the_row_as_it_is_cannot_have_met_it(crm: Crm, columns: Any) -> None:
    connect(crm)
    read(crm, last_full_at=THEN)
    reason, evidence = one_missing(crm, **columns)
    assert (reason, evidence["why"]) == ("never_fetched", "not_read_since")
    assert evidence["last_full_at"] < evidence["in_v1_at"]


def test_a_row_that_v1_got_while_a_reading_went_on_may_have_been_passed_over(crm: Crm) -> None:
    connect(crm)
    read(crm, last_full_at=THEN)
    swept(crm, THEN - timedelta(minutes=9))
    assert one_missing(crm, created_at=moment(-60))[1]["why"] == "not_read_since"
    assert one_missing(crm, created_at=moment(-600))[0] == "not_visible_to_key"


def test_rows_of_nobody_are_invisible_only_when_every_key_has_looked_since_v1_has_them(crm: Crm) -> None:
    crm.v1([person(1, created_at=moment(-60))])
    assert told(crm.database, "fub_people")[0][1] == "never_fetched"
    read(crm, last_full_at=THEN)
    [(_, reason, evidence)] = told(crm.database, "fub_people")
    assert (reason, evidence["why"], evidence["streams_read"]) == ("not_visible_to_key", "of_nobody", 1)
    # It began before V1 had the row.
    swept(crm, THEN - timedelta(minutes=9))
    [(_, reason, evidence)] = told(crm.database, "fub_people")
    assert (reason, evidence["why"]) == ("never_fetched", "not_read_since")


def test_what_only_v1_has_and_nobody_imported_was_never_fetched(database: Database) -> None:
    bring(database, title_orders=[{"id": 3, "order_id_raw": "o"}], title_disbursements=[{"id": 4, "order_id": 3}])
    write(database, "title_orders", [{"order_id_raw": "o", "source": "title"}])
    [(kind, reason, evidence)] = told(database, "title_disbursements")
    assert (kind, reason, evidence["why"]) == ("missing", "never_fetched", "not_imported")


# --- parts of a record ----------------------------------------------------------------------------------------------


def test_a_part_is_missing_with_its_carrier_and_unexplained_without_it(database: Database) -> None:
    bring(
        database,
        transaction=[{"id": n, "transaction_id_raw": f"t{n}"} for n in (1, 2, 3)],
        transaction_tags=[{"id": 10 + n, "transaction_id": n, "tag": "luxury"} for n in (1, 2, 3)],
    )
    rows = [{"transaction_id_raw": "t2", "source": "rezen"}, {"transaction_id_raw": "t3", "source": "v1"}]
    living, _ = write(database, "transaction", rows)
    found = [(reason, evidence) for _, reason, evidence in told(database, "transaction_tags")]
    assert sorted(reason for reason, _ in found) == ["never_fetched", "unknown", "unknown"]
    lost = [evidence for reason, evidence in found if reason == "never_fetched"]
    assert lost == [{"carried_by": "transaction", "why": "carrier_missing"}]
    # A part that its living carrier lacks may be our loss: it is never excused unseen.
    assert living in {evidence["v2_id"] for reason, evidence in found if reason == "unknown"}


# --- extra rows -----------------------------------------------------------------------------------------------------


def test_a_row_with_a_staged_record_is_honest_and_one_without_is_a_fault(crm: Crm) -> None:
    crm.v1([])
    honest, newer, _ = write(crm.database, "fub_people", [here(crm, 1), here(crm, 2), here(crm, 3)])
    for row in (honest, newer):
        processed(crm.database, "stage_fub_people", stage(crm.database, "stage_fub_people", str(row)), row)
    with crm.database.connect() as connection:
        # The staged record is newer than V1, its row was not merged again yet: merged, it would be in flight.
        connection.execute(
            "update staging.stage_fub_people set source_updated_at = %s where v2_id = %s",
            [datetime.now(UTC) + timedelta(hours=1), newer],
        )
    assert sorted((kind, reason) for kind, reason, _ in told(crm.database, "fub_people")) == [
        ("extra", "bug"), ("extra", "never_in_v1"), ("extra", "newer_at_source"),
    ]  # fmt: skip


UNSTAGED = "no staged record stands behind it"


@pytest.mark.parametrize(
    ("table", "row", "reason", "why"),
    [
        ("user", {"email": "cy@example.test"}, "never_in_v1", "made_by_the_product"),
        ("agent", {"agent_id_raw": "a", "source": "rezen"}, "never_in_v1", "mentioned"),
        ("user", {"email": "cy@example.test", "source": "v1"}, "bug", UNSTAGED),
        ("agent_commission", {"agent_id": 0, "source": "rezen"}, "never_in_v1", "derived"),
        ("leader", {"team_id": 0, "agent_id": 0, "status": "Current", "source": "rezen"}, "never_in_v1", "derived"),
        ("leader", {"team_id": 0, "agent_id": 0, "status": "Current", "source": "v1"}, "bug", UNSTAGED),
        ("transaction", {"transaction_id_raw": "t", "source": "rezen"}, "bug", UNSTAGED),
    ],
)
def test_only_what_is_made_here_needs_no_staged_record(
    database: Database, table: str, row: Any, reason: str, why: str
) -> None:
    bring(database, **{str(mappings()[table].table): []})
    with database.connect() as connection:
        # Whose rows these are does not matter here.
        connection.execute("set session_replication_role = replica")
        names = sql.SQL(", ").join(map(sql.Identifier, row))
        query = sql.SQL("insert into {} ({}) values ({})").format(
            sql.Identifier("v2", table), names, sql.SQL(", ").join(map(sql.Literal, row.values()))
        )
        connection.execute(query)
    assert told(database, table) == [("extra", reason, {"why": why})]


# --- changed rows ---------------------------------------------------------------------------------------------------


def test_a_changed_row_without_a_staged_record_is_unknown(crm: Crm) -> None:
    crm.v1([person(1, people_name="Ann", updated_at=moment(0))])
    write(crm.database, "fub_people", [here(crm, 1, people_name="Bo")])
    assert [each[:2] for each in told(crm.database, "fub_people")] == [("changed", "unknown")]


def test_a_reviewed_difference_excuses_a_row_and_is_named(database: Database) -> None:
    bring(database, agent=[{"id": 7, "agent_id_raw": "a", "title": "0", "city": "Provo"}])
    write(database, "agent", [{"agent_id_raw": "a", "source": "rezen", "city": "Provo"}])
    result = compare(database, tables=["agent"])
    assert only(result, "agent").reasons == {"known_difference": 1}
    with database.connect() as connection:
        [(known, evidence)] = connection.execute("select known, evidence from ops.comparison_diff").fetchall()
    assert (known, evidence) == ("v1-empty-is-zero", {"columns": {"title": "v1-empty-is-zero"}})
