"""What the merge does with rows of any table: one winner, nothing rewritten, one bad row alone, waiters freed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from resources.errors import DatabaseError, LedgerBroken
from resources.postgres import Database
from tests.merge.stage import NOON, Staged, enter_users, merge_everything, store, work_of
from v2_assets.deals import units as deals
from v2_assets.merge import MergeCounts, Unit, engine
from v2_assets.merge.refusals import caused_by_data
from v2_assets.people import units as people

TEAM = people.TEAM
SEATS = people.TEAM_MEMBERS
REZEN = work_of(["stage_rezen_teams"])


@pytest.fixture
def base(database: Database) -> Database:
    """Two users with a reZEN connection each."""
    with database.connect() as connection:
        enter_users(
            connection,
            [
                {"id": n, "credentials": [{"platform": "rezen", "account_id": f"a-{n}", "external_user_id": f"a-{n}"}]}
                for n in (1, 2)
            ],
        )
    return database


def team(name: str = "t-1", *, user: int = 1, minute: int = 0, **more: Any) -> Staged:
    return Staged(
        stage="stage_rezen_teams",
        source_id=name,
        payload={"id": name, "name": f"{name} at {minute}", **more},
        user_id=user,
        account_ref=f"rezen/a-{user}/{user}",
        source_updated_at=NOON + timedelta(minutes=minute),
    )


def seat(agent: str = "a-1", *, user: int = 1) -> Staged:
    payload = {"_v2": {"team_id": "t-1"}, "agent": {"id": agent}, "roles": ["MEMBER"]}
    return Staged("stage_rezen_team_members", f"t-1:{agent}", payload, user, f"rezen/a-{user}/{user}")


def rows(database: Database, query: str) -> list[Any]:
    with database.connect() as connection:
        return connection.execute(query).fetchall()  # type: ignore[arg-type]


def merge(database: Database, unit: Unit, user_id: int, run_id: str, **more: int) -> MergeCounts:
    with database.connect(autocommit=True) as connection:
        return engine.merge(connection, unit, user_id, run_id, **more)


def standing(database: Database) -> list[Any]:
    return rows(
        database,
        "select s.user_id, s.source_id, s.status, w.user_id from staging.stage_rezen_teams s"
        " left join staging.stage_rezen_teams w on w.id = s.duplicate_of order by 1, 2",
    )


def merged(database: Database, *staged: Staged, users: Sequence[int] = (1, 2)) -> MergeCounts:
    store(database, staged)
    total = MergeCounts()
    for user in users:
        total.add(merge(database, TEAM, user, "run"))
    return total


def test_every_row_read_has_one_fate_and_every_processed_row_its_v2_row(base: Database) -> None:
    counts = merged(base, team("t-1"), team("t-2"), team("t-3", type="TITANIUM"))
    assert (counts.read, counts.processed, counts.rejected) == (3, 3, 0)
    assert rows(
        base,
        "select s.source_id, t.team_id_raw from staging.stage_rezen_teams s join v2.team t on t.id = s.v2_id"
        " where s.status = 'processed' and s.processed_at is not null order by 1",
    ) == [("t-1", "t-1"), ("t-2", "t-2"), ("t-3", "t-3")]
    assert rows(base, "select table_name, user_id, run_id, counts -> 'read' from ops.merge_run") == [
        ("team", 1, "run", 3)
    ]


def test_a_row_that_postgres_refuses_is_rejected_alone(base: Database) -> None:
    caps = [{"realCapConfig": {"leaderCap": "a lot" if n == 5 else n}} for n in range(12)]
    names = [team(f"t-{n}", config=cap) for n, cap in enumerate(caps)]
    counts = merged(base, *names)
    assert (counts.read, counts.processed, counts.rejected) == (12, 11, 1)
    [(source_id, reason, detail)] = rows(
        base,
        "select source_id, status_reason, status_detail from staging.stage_rezen_teams where status = 'rejected'",
    )
    assert (source_id, reason) == ("t-5", "merge_error")
    assert detail == {"sqlstate": "22P02", "table": "team"}
    assert "a lot" not in str(detail), "the reason must not quote the record"


LONG = "".join(random.Random(3).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=6_000))


def test_a_text_too_long_for_its_index_is_rejected_alone_and_the_index_s_column_is_named(base: Database) -> None:
    deal = Staged("stage_rezen_transactions", "d-1", {"id": "d-1", "listing": False}, 1, "rezen/a-1/1")
    store(base, [deal, replace(deal, source_id="d-2", payload={"id": "d-2", "listing": False, "mlsNum": LONG})])
    counts = merge(base, deals.TRANSACTION, 1, "run")
    assert (counts.processed, counts.rejected) == (1, 1)
    [(detail,)] = rows(base, "select status_detail from staging.stage_rezen_transactions where status = 'rejected'")
    assert (detail["sqlstate"], detail["table"], detail["field"]) == ("54000", "transaction", "mls_num")
    assert LONG[:20] not in str(detail)


def test_a_row_whose_subselect_finds_two_is_rejected_alone(base: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    twice = "(select v from (values (1), (2)) x (v) where team_id_raw = 't-1' or v = 1)"
    text = TEAM.sql.replace("ops.first_of(p, 'name', 'teamName') #>> '{}' as team_name", f"{twice}::text as team_name")
    monkeypatch.setattr(Unit, "sql", property(lambda self: text))
    store(base, [team("t-1"), team("t-2"), team("t-3")])
    counts = merge(base, replace(TEAM, children=()), 1, "run")
    assert (counts.processed, counts.rejected) == (2, 1)
    assert rows(
        base, "select source_id, status_detail ->> 'sqlstate' from staging.stage_rezen_teams where status = 'rejected'"
    ) == [("t-1", "21000")]


@pytest.mark.parametrize(
    ("sqlstate", "of_data"),
    [
        *(("22P02", True), ("22003", True), ("22P05", True), ("23505", True), ("23503", True), ("21000", True)),
        *(("54000", True), ("54001", True)),
        # The server: away, full, interrupted, waiting, in a circle of locks.
        *(("08006", False), ("53100", False), ("57014", False), ("57P01", False), ("55P03", False), ("40P01", False)),
        # Our own SQL, or the server's own fault.
        *(("42P01", False), ("42883", False), ("0A000", False), ("25P02", False), ("XX000", False)),
    ],
)
def test_only_what_a_row_can_bring_about_is_looked_for_among_the_rows(sqlstate: str, of_data: bool) -> None:
    assert caused_by_data(psycopg.errors.lookup(sqlstate)()) is of_data


def test_what_the_server_cannot_do_is_raised(base: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        Unit, "sql", property(lambda self: "select pg_cancel_backend(pg_backend_pid()) as a, pg_sleep(9)::text")
    )
    store(base, [team("t-1"), team("t-2")])
    with pytest.raises(DatabaseError, match="57014"):
        merge(base, TEAM, 1, "run")
    assert standing(base) == [(1, "t-1", "pending", None), (1, "t-2", "pending", None)]


@pytest.mark.parametrize(
    ("ending", "told"),
    [
        (" where team_id_raw <> 't-2'", "returned 1 rows for 2 staged ones"),
        (" cross join (values (1), (2)) twice", "returned 4 rows for 2 staged ones"),
    ],
)
def test_a_select_that_loses_or_multiplies_rows_writes_nothing(
    base: Database, monkeypatch: pytest.MonkeyPatch, ending: str, told: str
) -> None:
    text = TEAM.sql
    monkeypatch.setattr(Unit, "sql", property(lambda self: text + ending))
    store(base, [team("t-1"), team("t-2")])
    with pytest.raises(LedgerBroken, match=told):
        merge(base, TEAM, 1, "run")
    assert rows(base, "select count(*) from v2.team") == [(0,)]
    assert standing(base) == [(1, "t-1", "pending", None), (1, "t-2", "pending", None)]
    assert rows(base, "select count(*) from ops.merge_run") == [(0,)]


def test_a_select_with_an_undeclared_column_is_refused_by_name(base: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    text = TEAM.sql.replace(" as team_name,", " as team_name, 1 as colour,")
    monkeypatch.setattr(Unit, "sql", property(lambda self: text))
    store(base, [team()])
    with pytest.raises(LedgerBroken, match="colour"):
        merge(base, TEAM, 1, "run")


def test_rows_that_come_out_equal_are_not_rewritten(base: Database) -> None:
    merged(base, team("t-1"), team("t-2"))
    before = rows(base, "select id, xmin, updated_at from v2.team order by team_id_raw")
    with base.connect() as connection:
        connection.execute("update staging.stage_rezen_teams set status = 'pending'")
    counts = merged(base, team("t-2", minute=1))
    table = counts.tables["team"]
    assert (counts.read, table.inserted, table.updated, table.unchanged) == (2, 0, 1, 1)
    after = rows(base, "select id, xmin, updated_at from v2.team order by team_id_raw")
    assert after[0] == before[0]
    assert after[1][0] == before[1][0] and after[1][1:] != before[1][1:]


def test_columns_that_the_select_does_not_return_are_left_alone(base: Database) -> None:
    merged(base, team())
    with base.connect() as connection:
        connection.execute("insert into v2.agent (agent_id_raw, source) values ('a-1', 'rezen')")
        connection.execute("update v2.team set team_owner_agent_id = (select id from v2.agent)")
    merged(base, team(minute=1))
    assert rows(base, "select team_name, team_owner_agent_id is not null from v2.team") == [("t-1 at 1", True)]


def test_the_newest_of_two_copies_counts_and_the_other_names_it(base: Database) -> None:
    counts = merged(base, team(user=1, minute=1), team(user=2, minute=2))
    assert (counts.processed, counts.duplicate) == (2, 0), "each won when it came"
    assert standing(base) == [(1, "t-1", "duplicate", 2), (2, "t-1", "processed", None)]
    assert rows(base, "select team_name from v2.team") == [("t-1 at 2",)]


def test_the_copy_of_a_holder_that_is_gone_takes_over(base: Database) -> None:
    merged(base, team(user=1, minute=2), team(user=2, minute=1))
    assert standing(base) == [(1, "t-1", "processed", None), (2, "t-1", "duplicate", 1)]
    with base.connect() as connection:
        connection.execute("update staging.stage_rezen_teams set missed_sweeps = 2 where user_id = 1")
        connection.execute("update staging.stage_rezen_teams set status = 'pending' where user_id = 2")
    merged(base)
    assert standing(base)[1] == (2, "t-1", "processed", None)


def test_copies_with_one_stamp_have_one_winner_whoever_comes_first(base: Database) -> None:
    for order in ((1, 2), (2, 1)):
        with base.connect() as connection:
            connection.execute("delete from staging.stage_rezen_teams")
        merged(base, *(team(user=user) for user in order), users=order)
        assert standing(base) == [(1, "t-1", "processed", None), (2, "t-1", "duplicate", 1)]


def test_an_older_copy_never_overwrites(base: Database) -> None:
    merged(base, team(user=1, minute=5))
    before = rows(base, "select xmin from v2.team")
    counts = merged(base, team(user=2, minute=4))
    assert (counts.duplicate, counts.tables["team"].written) == (1, 0)
    assert rows(base, "select xmin from v2.team") == before


def deal(user: int, minute: int, people: Sequence[str]) -> Staged:
    payload = {"id": "d-1", "listing": False, "code": f"at {minute}", "participants": [{"id": p} for p in people]}
    stamp = NOON + timedelta(minutes=minute)
    return Staged("stage_rezen_transactions", "d-1", payload, user, f"rezen/a-{user}/{user}", stamp)


def test_the_people_of_a_deal_stay_those_of_the_version_that_it_shows_when_an_older_copy_takes_over(
    base: Database,
) -> None:
    store(base, [deal(1, 5, ["p-1", "p-2"]), deal(2, 4, ["p-1", "p-0"])])
    for user in (1, 2):
        merge(base, deals.TRANSACTION, user, "run")
    with base.connect() as connection:
        connection.execute("update staging.stage_rezen_transactions set missed_sweeps = 2 where user_id = 1")
        connection.execute("update staging.stage_rezen_transactions set status = 'pending' where user_id = 2")
    merge(base, deals.TRANSACTION, 2, "run")
    assert rows(base, "select status from staging.stage_rezen_transactions where user_id = 2") == [("processed",)]
    people = "select participant_id_raw from v2.participant where deleted_at is null order by 1"
    assert (rows(base, "select rezen_code from v2.transaction"), rows(base, people)) == (
        [("at 5",)],
        [("p-1",), ("p-2",)],
    )
    store(base, [deal(2, 6, ["p-3"])])
    merge(base, deals.TRANSACTION, 2, "run")
    assert (rows(base, "select rezen_code from v2.transaction"), rows(base, people)) == ([("at 6",)], [("p-3",)])


def test_what_ended_with_a_deal_is_back_with_it_although_the_copy_that_lives_is_older(base: Database) -> None:
    store(base, [deal(1, 5, ["p-1", "p-2"]), deal(2, 4, ["p-1", "p-0"])])
    for user in (1, 2):
        merge(base, deals.TRANSACTION, user, "run")
    store(base, [deal(1, 7, ["p-1"])])
    merge(base, deals.TRANSACTION, 1, "run")
    people = "select participant_id_raw, deleted_at is null from v2.participant order by 1"
    before = rows(base, people)
    assert before == [("p-1", True), ("p-2", False)]
    with base.connect() as connection:
        connection.execute("update staging.stage_rezen_transactions set missed_sweeps = 2 where user_id = 1")
        connection.execute("update staging.stage_rezen_transactions set status = 'pending' where user_id = 2")
        connection.execute("update v2.transaction set deleted_at = now()")
        connection.execute("update v2.participant set deleted_at = now() where deleted_at is null")
    merge(base, deals.TRANSACTION, 2, "run")
    assert rows(base, "select deleted_at, rezen_code from v2.transaction") == [(None, "at 7")]
    assert rows(base, people) == before


def test_an_older_copy_that_lives_brings_a_deleted_row_back_and_changes_nothing_else_of_it(base: Database) -> None:
    merged(base, team(user=1, minute=2), team(user=2, minute=1))
    with base.connect() as connection:
        connection.execute("update staging.stage_rezen_teams set missed_sweeps = 2 where user_id = 1")
        connection.execute("update v2.team set deleted_at = now()")
        connection.execute("update staging.stage_rezen_teams set status = 'pending' where user_id = 2")
    merged(base)
    assert rows(base, "select deleted_at, team_name from v2.team") == [(None, "t-1 at 2")]


@pytest.mark.parametrize(
    ("told", "kept"),
    [((0.7, 0.3), ("0.7000", "0.3000")), ((70, 1), ("0.7000", "0.0100")), ((99.5, 0.5), ("0.9950", "0.0050"))],
)
def test_the_shares_of_one_deal_are_on_one_scale(base: Database, told: Sequence[float], kept: Sequence[str]) -> None:
    people = [{"id": f"p-{n}", "payment": {"percent": share}} for n, share in enumerate(told)]
    store(base, [replace(deal(1, 0, []), payload={"id": "d-1", "listing": False, "participants": people})])
    merge(base, deals.TRANSACTION, 1, "run")
    found = rows(base, "select commission_split::text from v2.participant order by participant_id_raw")
    assert found == [(share,) for share in kept]


def test_a_record_that_is_back_lives_again(base: Database) -> None:
    merged(base, team())
    with base.connect() as connection:
        connection.execute("update v2.team set deleted_at = now()")
    merged(base, team(minute=1))
    assert rows(base, "select deleted_at from v2.team") == [(None,)]


def test_a_child_that_came_first_waits_and_is_freed_by_its_parent(base: Database) -> None:
    store(base, [seat()])
    merge_everything(base, [1], REZEN)
    assert rows(base, "select status, status_reason, waits_for, attempts from staging.stage_rezen_team_members") == [
        ("deferred", "missing_parent", "team/t-1", 1)
    ]
    assert merged(base, team("t-9")).released == 0
    assert merged(base, team("t-1")).released == 1
    assert rows(base, "select status, waits_for from staging.stage_rezen_team_members") == [("pending", None)]
    merge(base, SEATS, 1, "run")
    assert rows(base, "select status from staging.stage_rezen_team_members") == [("processed",)]


def test_a_parent_that_one_user_brings_frees_what_another_user_waits_with(base: Database) -> None:
    store(base, [seat(user=1), team(user=2)])
    merge_everything(base, [1, 2], REZEN)
    assert rows(base, "select status from staging.stage_rezen_team_members") == [("pending",)]
    merge_everything(base, [1], REZEN)
    assert rows(base, "select status from staging.stage_rezen_team_members") == [("processed",)]


def test_a_deferred_row_is_looked_at_again_only_when_due_and_ever_later(base: Database) -> None:
    store(base, [seat()])
    waits = []
    for _ in range(3):
        merge_everything(base, [1], REZEN)
        assert merge(base, SEATS, 1, "run").read == 0, "not due yet"
        [(minutes,)] = rows(
            base,
            "select round(extract(epoch from next_attempt_at - processed_at) / 60)"
            " from staging.stage_rezen_team_members",
        )
        waits.append(int(minutes))
        with base.connect() as connection:
            connection.execute("update staging.stage_rezen_team_members set next_attempt_at = now() - interval '1 s'")
    assert waits == [1, 4, 9]


def test_batches_of_any_size_come_to_the_same(base: Database) -> None:
    store(base, [team(f"t-{n}") for n in range(7)])
    assert merge(base, TEAM, 1, "run", batch_rows=2).processed == 7
    assert rows(base, "select count(*) from ops.merge_run") == [(4,)]


def test_a_transaction_is_in_all_its_tables_or_in_none(base: Database) -> None:
    good = {"id": "d-1", "listing": False, "participants": [{"id": "p-1", "payment": {"amount": "12"}}]}
    bad = {"id": "d-2", "listing": False, "participants": [{"id": "p-1", "payment": {"amount": "a dozen"}}]}
    one = Staged("stage_rezen_transactions", "d-1", good, 1, "rezen/a-1/1")
    store(base, [one, replace(one, source_id="d-2", payload=bad)])
    counts = merge(base, deals.TRANSACTION, 1, "run")
    assert (counts.processed, counts.rejected) == (1, 1)
    assert rows(base, "select transaction_id_raw from v2.transaction") == [("d-1",)]
    assert rows(base, "select count(*) from v2.participant") == [(1,)]
