"""A word that no code table knows costs its column, and is listed; once it is taught, its records are merged again.

It holds its record back only where V2 cannot tell the record without it.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from resources.errors import ConfigError
from resources.postgres import Database
from tests.merge.stage import Staged, all_is_due, enter_users, merge_everything, store, work_of, written
from tests.story import ALL_WORK, Work
from v2_assets.merge import Fact, Unit
from v2_assets.merge.words import UnknownWord, teach, unknown_words

GOLDEN = Path(__file__).parent.parent / "golden"
WORD = "NEVER_SEEN_BEFORE"


@dataclass(frozen=True)
class Use:
    """A select looks a word up: in which set, and the record of a golden case whose word at `path` is exchanged."""

    select: str
    code_set: str
    case: str
    stage: str
    source_id: str
    path: str
    shape: Callable[[str], Any] = str
    #: Sets in which the same word is looked up too; they know it already.
    beside: tuple[str, ...] = ()

    @property
    def held(self) -> bool:
        """Whether the word holds its record back."""
        return (self.select, self.code_set) in HELD

    @property
    def source(self) -> str:
        """Whose codes."""
        return {"xano": "v1"}.get(name := self.stage.split("_")[1], name)


def _as_role(word: str) -> list[dict[str, str]]:
    return [{"id": "p-1", "participantRole": word}]


def _uses(select: str, case: str, stage: str, source_id: str, **paths: str) -> Iterator[Use]:
    for code_set, path in paths.items():
        yield Use(select, code_set, case, stage, source_id, path)


def _one_word(select: str, case: str, stage: str, source_id: str, path: str, *code_sets: str) -> Iterator[Use]:
    """One word that is looked up in several sets: each of them alone is listed."""
    for code_set in code_sets:
        beside = tuple(other for other in code_sets if other != code_set)
        yield Use(select, code_set, case, stage, source_id, path, beside=beside)


_SALE = ("transaction/a_settled_sale", "stage_rezen_transactions", "tx-1")
_LISTING = ("listing/an_active_listing", "stage_rezen_listings", "l-1")
_ROSTER = ("team_members/nested_flat_and_two_teams", "stage_rezen_team_members", "t-1:a-1")
_SKYSLOPE_SALE = (
    "transaction/a_file_of_skyslope",
    "stage_skyslope_transactions",
    "5a1e0000-0000-4000-8000-000000000001",
)
_SKYSLOPE_LISTING = (
    "listing/a_file_of_skyslope",
    "stage_skyslope_listings",
    "115f0000-0000-4000-8000-000000000001",
)
_V1 = "transaction_tags/from_v1"

USES: tuple[Use, ...] = (
    *_uses(
        "transaction.sql",
        *_SALE,
        transaction_status="status",
        transaction_type="transactionType",
        representation="representationType",
        property_type="propertyType",
    ),
    Use("transaction.sql", "participant_role", *_SALE, "participants", _as_role),
    *_one_word("transaction.sql", *_SALE, "lifecycleState", "lifecycle_state", "lifecycle_stage", "lifecycle_status"),
    *_uses(
        "listing.sql",
        *_LISTING,
        transaction_status="status",
        property_type="propertyType",
    ),
    Use("listing.sql", "participant_role", *_LISTING, "participants", _as_role),
    *_one_word("listing.sql", *_LISTING, "lifecycleState", "lifecycle_state", "lifecycle_status"),
    *_uses("agent.sql", "agent/the_owner_of_a_key", "stage_rezen_agents", "a-1", agent_status="agentStatus"),
    *_uses(
        "team.sql", "team/a_team_with_its_settings", "stage_rezen_teams", "t-1", team_type="type", team_status="status"
    ),
    Use("team_members.sql", "team_role", *_ROSTER, "roles", lambda word: [word]),
    Use("team_members.sql", "agent_status", *_ROSTER, "agent.agentStatus"),
    *_uses(
        "network_member.sql",
        "network_member/every_tier_and_both_lists",
        "stage_rezen_network_downline",
        "a-1:m-1:1",
        agent_status="status",
    ),
    *_uses(
        "network_member.frontline.sql",
        "network_member/every_tier_and_both_lists",
        "stage_rezen_network_frontline",
        "a-1:m-5",
        agent_status="status",
    ),
    *_uses(
        "equity_transactions.sql",
        "equity_annual/granted_vested_forfeited",
        "stage_rezen_equity",
        "e-1",
        equity_type="entryType",
    ),
    *_uses(
        "revshare_payment.sql",
        "revshare_payment/either_id_any_shape",
        "stage_rezen_revshare_payments",
        "p-1",
        payment_status="status",
    ),
    *_uses("fub_deals.sql", "fub_deals/an_unknown_status", "stage_fub_deals", "508", deal_status="status"),
    *_uses("fub_users.sql", "fub_users/active_deleted_and_known", "stage_fub_users", "14", user_role="role"),
    *_uses("transaction.skyslope.sql", *_SKYSLOPE_SALE, transaction_status="status"),
    *_uses("transaction.skyslope.sql", *_SKYSLOPE_SALE, representation="dealType"),
    *_uses("transaction.skyslope.sql", *_SKYSLOPE_SALE, transaction_type="dealType"),
    *_uses("listing.skyslope.sql", *_SKYSLOPE_LISTING, transaction_status="status"),
    *_uses(
        "title_orders.sql",
        "title_events/a_milestone_is_one_row_as_it_stands",
        "stage_title_orders",
        "o-1",
        title_status="status",
    ),
    *_uses("agent.v1.sql", "director/from_v1", "stage_xano_agent", "81", agent_status="agent_status"),
    *_uses("team.v1.sql", "director/from_v1", "stage_xano_team", "61", team_type="team_type", team_status="status"),
    *_uses(
        "transaction.v1.sql",
        _V1,
        "stage_xano_transaction",
        "901",
        transaction_status="status",
        transaction_type="transaction_type",
        lifecycle_stage="stage",
        lifecycle_state="lifecycle_state",
        property_type="property_type",
        representation="representation",
    ),
    *_uses(
        "listing.v1.sql", _V1, "stage_xano_listing", "801", transaction_status="status", property_type="property_type"
    ),
    *_uses("participant.v1.sql", _V1, "stage_xano_participant", "11", participant_role="role"),
    *_uses(
        "network_change_log.v1.sql",
        "contribution/from_v1",
        "stage_xano_network_change_log",
        "3",
        network_change="type",
    ),
    *_uses(
        "title_orders.v1.sql", "title_disbursements/from_v1", "stage_xano_title_orders", "12", title_status="status"
    ),
    *_uses(
        "transaction.csv.sql",
        "transaction/from_a_file",
        "stage_csv_import",
        "sheet/1/A-1",
        transaction_status="status",
        transaction_type="transaction_type",
        property_type="property_type",
        representation="representation",
    ),
)
#: Words that hold their record back, and why.
HELD: dict[tuple[str, str], str] = {
    ("equity_transactions.sql", "equity_type"): "a part of the row's key",
    ("network_change_log.v1.sql", "network_change"): "a part of the row's key",
    **{
        ("transaction.csv.sql", code_set): "whoever has the file says in its [words] what is meant"
        for code_set in ("transaction_status", "transaction_type", "property_type", "representation")
    },
}
#: Look-ups that list nothing themselves, and why nothing is missing.
ELSEWHERE: dict[tuple[str, str], str] = {
    ("participant.sql", "participant_role"): "listed with its deal or listing, whose child it is",
    ("participant.skyslope.sql", "representation"): "listed with its file, whose child it is",
    ("agent.team_members.sql", "agent_status"): "a fact of the roster; the roster's own select lists it",
    ("address.sql", "country"): "an address keeps the source's own word for its country",
}
_LOOKED_UP = re.compile(r"code_set = '(\w+)' and \w+\.source = '(\w+)'")


def _with_the_word(rows: list[dict[str, Any]], use: Use) -> list[dict[str, Any]]:
    rows = copy.deepcopy(rows)
    for row in rows:
        if (row["stage"], row["source_id"]) == (use.stage, use.source_id):
            holder = row["payload"]
            *steps, last = use.path.split(".")
            for step in steps:
                holder = holder[step]
            holder[last] = use.shape(WORD)
    return rows


def _means_something(connection: psycopg.Connection[Any], code_set: str, source: str) -> dict[str, int]:
    """The word means from now on what some other word of its set means."""
    known = connection.execute(
        "select min(value) from ops.code_map where code_set = %s and source = %s", [code_set, source]
    ).fetchone()
    assert known
    return teach(connection, source, code_set, WORD, known[0])


def _is_of(use: Use, word: UnknownWord) -> bool:
    return (word.table, word.code_set, word.word) == (use.stage, use.code_set, WORD)


def _merge_until_quiet(database: Database, users: list[int], work: list[Work], stages: set[str]) -> None:
    """What waits for a parent comes to its own look-up a merge later."""
    while written(merge_everything(database, users, work)):
        all_is_due(database, stages)


@pytest.mark.parametrize("use", USES, ids=[f"{use.select} {use.code_set}" for use in USES])
def test_an_unknown_word_costs_its_column_and_is_merged_again_once_it_is_taught(database: Database, use: Use) -> None:
    told = json.loads((GOLDEN / f"{use.case}.json").read_text(encoding="utf-8"))
    with database.connect() as connection:
        users = enter_users(connection, told["users"])
        for code_set in use.beside:
            assert not _means_something(connection, code_set, use.source), "nothing is stored yet"
    stages = {row["stage"] for row in told["staged"]}
    work = work_of(stages)
    store(database, [Staged.parse(row) for row in _with_the_word(told["staged"], use)])
    _merge_until_quiet(database, users, work, stages)
    record = sql.SQL(
        "select status, v2_id is not null, fetched_at, payload_hash from {} where source_id = {}"
        " and status <> 'duplicate'"
    ).format(sql.Identifier("staging", use.stage), sql.Literal(use.source_id))
    with database.connect() as connection:
        before = connection.execute(record).fetchall()
        assert before and {row[:2] for row in before} == {("rejected", False) if use.held else ("processed", True)}
        listed = [word for word in unknown_words(connection) if _is_of(use, word)]
        assert [word.held == word.records for word in listed] == [use.held]
        again = _means_something(connection, use.code_set, use.source)
        assert again[use.stage] >= listed[0].records
    _merge_until_quiet(database, users, work, stages)
    with database.connect() as connection:
        after = connection.execute(record).fetchall()
        assert not [word for word in unknown_words(connection) if _is_of(use, word)]
    assert {row[:2] for row in after} == {("processed", True)}
    assert {row[2:] for row in after} <= {row[2:] for row in before}, "nothing was fetched again"


def test_no_look_up_is_forgotten() -> None:
    selects = [each for each in ALL_WORK if isinstance(each, Fact | Unit)]
    selects += [part for each in ALL_WORK if isinstance(each, Unit) for part in (*each.history, *each.children)]
    found = {(each.file, code_set, source) for each in selects for code_set, source in _LOOKED_UP.findall(each.sql)}
    tried = {(use.select, use.code_set, use.source) for use in USES}
    assert tried <= found and set(HELD) <= {key[:2] for key in tried}
    assert {key[:2] for key in found - tried} == set(ELSEWHERE)
    spelt = sum(each.sql.count("ops.code_map") for each in selects)
    assert spelt == sum(len(_LOOKED_UP.findall(each.sql)) for each in selects), "a look-up is written another way"


@pytest.fixture
def an_isa(database: Database) -> list[int]:
    """Users of a CRM account of which one has a role that nobody foresaw."""
    told = json.loads((GOLDEN / "fub_users/active_deleted_and_known.json").read_text(encoding="utf-8"))
    with database.connect() as connection:
        users = enter_users(connection, told["users"])
    use = next(use for use in USES if use.select == "fub_users.sql")
    store(database, [Staged.parse(row) for row in _with_the_word(told["staged"], use)])
    merge_everything(database, users, work_of({row["stage"] for row in told["staged"]}))
    return users


def _roles(database: Database) -> dict[int, str | None]:
    with database.connect() as connection:
        return dict(connection.execute("select fub_user_id_raw, role from v2.fub_users").fetchall())


def test_a_taught_word_fills_its_column_and_nobody_elses_changes(database: Database, an_isa: list[int]) -> None:
    before = _roles(database)
    assert before[14] == WORD, "what hangs on nothing is kept as it is told"
    with database.connect() as connection:
        teach(connection, "fub", "user_role", WORD, "Inside Sales", new=True)
    merge_everything(database, an_isa, work_of({"stage_fub_users"}))
    assert _roles(database) == before | {14: "Inside Sales"}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("fub", "user_rôle", WORD, "Agent"), "fub has no code set 'user_rôle'"),
        (("fub", "user_role", WORD, "Agnet"), "no word of user_role means 'Agnet'"),
        (("fub", "user_role", "Agent", "Lender"), "'Agent' means 'Agent' already"),
    ],
)
def test_what_cannot_be_taught_is_said_and_changes_nothing(
    database: Database, an_isa: list[int], words: tuple[str, str, str, str], says: str
) -> None:
    with database.connect() as connection:
        before = connection.execute("select * from ops.code_map order by 1, 2, 3").fetchall()
        with pytest.raises(ConfigError, match=re.escape(says)):
            teach(connection, *words)
        assert connection.execute("select * from ops.code_map order by 1, 2, 3").fetchall() == before
        assert [word.word for word in unknown_words(connection)] == [WORD]
    assert an_isa
