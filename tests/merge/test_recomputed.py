"""What is computed again only where something changed equals what is computed from nothing; links are what rules say.

Rows are put into V2 directly: which source's record they come from does not matter here, only that they change.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import psycopg
from hypothesis import given
from hypothesis import strategies as st

from resources.postgres import Database
from tests.merge.arrival import RARELY
from v2_assets.aggregates import units
from v2_assets.deals.units import LINKS
from v2_assets.merge import MergeCounts, Recomputed, recompute

IN_ORDER = (
    LINKS,
    *units.AGG_FUB_ACTIVITY_BY_AGENT,
    *units.AGG_AGENT_MONTHLY,
    *units.AGG_LEADERBOARD,
    *units.AGG_TRANSACTIONS_BY_WEEK,
)
COMPUTED = ("agg_fub_activity_by_agent", "agg_agent_monthly", "agg_leaderboard", "agg_transactions_by_week")
SOURCES = ("rezen", "skyslope", "v1", "csv")


def compute(connection: psycopg.Connection[Any], batch_notes: int = 2_000) -> MergeCounts:
    """Every computed table, inputs first, as a run does it."""
    total = MergeCounts()
    for one in IN_ORDER:
        assert isinstance(one, Recomputed)
        total.add(recompute(connection, one, batch_notes=batch_notes))
    return total


def from_nothing(connection: psycopg.Connection[Any]) -> None:
    """Forgets every computed row and computes them all."""
    for table in COMPUTED:
        connection.execute(f"delete from v2.{table}")
    connection.execute("update v2.transaction set duplicate_of_id = null, duplicate_rule = null")
    connection.execute("delete from ops.changed_key")
    connection.execute(
        "insert into ops.changed_key (derived, owner_id) select 'transaction.links', id from v2.transaction"
        " union all select 'agg_agent_monthly', id from v2.agent"
        " union all select 'agg_transactions_by_week', id from v2.team"
    )
    connection.execute(
        "insert into ops.changed_key (derived, owner_id, period)"
        " select 'agg_fub_activity_by_agent', u.id, d::date from v2.\"user\" u,"
        " generate_series(date '2031-01-01', date '2031-03-31', interval '1 day') d"
    )
    compute(connection)


def picture(connection: psycopg.Connection[Any]) -> dict[str, list[Any]]:
    """The live computed rows and the links, without numbers and times of our own."""
    told: dict[str, list[Any]] = {}
    for table in COMPUTED:
        rows = connection.execute(
            f"select to_jsonb(t) - array['id', 'created_at', 'updated_at'] from v2.{table} t where deleted_at is null"
        ).fetchall()
        told[table] = sorted((row[0] for row in rows), key=repr)
    told["links"] = connection.execute(
        "select id, duplicate_of_id, duplicate_rule from v2.transaction order by id"
    ).fetchall()
    return told


def clear(connection: psycopg.Connection[Any]) -> None:
    """Two users, three agents in two teams, one CRM account with two contacts."""
    connection.execute("set session_replication_role = replica")
    tables = ("contribution", "fub_calls", "fub_events", "fub_people", "fub_accounts", "transaction", "address")
    for table in ("agent", "team", '"user"', *tables, *COMPUTED):
        connection.execute(f"delete from v2.{table}")
    connection.execute("delete from ops.changed_key")
    connection.execute("set session_replication_role = origin")
    connection.execute("insert into v2.\"user\" (id, email) values (1, 'a@example.test'), (2, 'b@example.test')")
    always = "overriding system value"
    connection.execute(
        f"insert into v2.team (id, team_id_raw, source) {always} values (1, 't-1', 'rezen'), (2, 't-2', 'rezen')"
    )
    connection.execute(
        f"insert into v2.agent (id, agent_id_raw, user_id, team_id, source) {always} values"
        " (1, 'a-1', 1, 1, 'rezen'), (2, 'a-2', 2, 1, 'rezen'), (3, 'a-3', null, 2, 'rezen')"
    )
    connection.execute(f"insert into v2.fub_accounts (id, account_id_raw, source) {always} values (1, 77, 'fub')")
    connection.execute(
        f"insert into v2.address (id, address_key, state_abbreviation, source) {always}"
        " values (1, 'one', 'UT', 'rezen'), (2, 'two', 'UT', 'rezen'), (3, 'three', null, 'rezen')"
    )
    connection.execute(
        "insert into v2.fub_people (id, fub_account_id, fub_people_id_raw, user_id, fub_created_at, source)"
        f" {always} values (1, 1, 1, 1, '2031-01-05', 'fub'), (2, 1, 2, 2, '2031-02-05', 'fub')"
    )


days = st.integers(0, 80).map(lambda n: date(2031, 1, 1) + timedelta(days=n))
agents = st.sampled_from([1, 2, 3])
DEAL = {
    "transaction_owner_agent_id": agents,
    "team_id": st.sampled_from([1, 2, None]),
    "contract_date": st.none() | days,
    "closing_date": days,
    "sale_price": st.sampled_from([100_000, 100_900, 250_000]),
    "gross_commission": st.sampled_from([3_000, 4_500, None]),
    "currency": st.sampled_from(["USD", "USD", "CAD", None]),
    "representation": st.sampled_from(["Buyer", "Seller", None]),
    "transaction_type": st.sampled_from(["Sale", "Sale", "Internal Referral", None]),
    "closed": st.booleans(),
    "mls_num": st.sampled_from([None, None, "MLS-1001", "mls 1002"]),
    "address_id": st.sampled_from([1, 2, 3, None]),
    "deleted_at": st.sampled_from([None, None, "2031-04-01"]),
}
CHANGES: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "transaction": DEAL,
    "agent": {"user_id": st.sampled_from([1, 2, None]), "team_id": st.sampled_from([1, 2, None])},
    "contribution": {"amount": st.sampled_from([10, 20]), "receiving_agent_id": agents, "contribution_date": days},
    "fub_calls": {"user_id": st.sampled_from([1, 2]), "fub_created_at": days, "is_incoming": st.booleans()},
    "fub_events": {"occurred": days, "fub_people_id": st.sampled_from([1, 2])},
    "fub_people": {"user_id": st.sampled_from([1, 2]), "fub_created_at": days},
}
KEYS = {"contribution": "contribution_id_raw", "fub_calls": "call_id", "fub_events": "fub_events_id"}


@st.composite
def change(draw: st.DrawFn) -> tuple[str, int, dict[str, Any]]:
    """A row of a table, and what becomes of some of its columns."""
    table = draw(st.sampled_from(["transaction", "transaction", *CHANGES]))
    names = draw(st.lists(st.sampled_from(sorted(CHANGES[table])), min_size=1, unique=True))
    return table, draw(st.integers(1, 5)), {name: draw(CHANGES[table][name]) for name in names}


def apply(connection: psycopg.Connection[Any], table: str, number: int, values: dict[str, Any]) -> None:
    """Changes the row, which is made first where it is not there yet."""
    if table == "transaction":
        connection.execute(
            "insert into v2.transaction (transaction_id_raw, source) values (%s, %s) on conflict do nothing",
            [f"tx-{number}", SOURCES[number % 4]],
        )
        match = f"transaction_id_raw = 'tx-{number}'"
    elif table in KEYS:
        account = ", fub_account_id" if table.startswith("fub") else ""
        connection.execute(
            f"insert into v2.{table} ({KEYS[table]}, source{account}) values (%s, 'x'{', 1' if account else ''})"
            " on conflict do nothing",
            [number],
        )
        match = f"{KEYS[table]} = '{number}'"
    else:
        match = f"id = {(number - 1) % (3 if table == 'agent' else 2) + 1}"
    pairs = ", ".join(f"{name} = %s" for name in values)
    connection.execute(f"update v2.{table} set {pairs} where {match}", list(values.values()))


@RARELY
@given(
    rounds=st.lists(st.lists(change(), min_size=1, max_size=8), min_size=1, max_size=4), notes=st.sampled_from([1, 9])
)
def test_whatever_changes_the_changed_keys_computed_again_are_everything_computed_anew(
    database: Database, rounds: list[list[tuple[str, int, dict[str, Any]]]], notes: int
) -> None:
    with database.connect(autocommit=True) as connection:
        clear(connection)
        for changes in rounds:
            for table, number, values in changes:
                apply(connection, table, number, values)
            compute(connection, notes)
        found = picture(connection)
        assert not [c for c in compute(connection).tables.values() if c.written], "computed twice, nothing had changed"
        from_nothing(connection)
        assert found == picture(connection)


@dataclass(frozen=True)
class Deal:
    """A real deal, and the sources that tell it."""

    number: int
    sources: frozenset[str]


@RARELY
@given(
    deals=st.lists(st.frozensets(st.sampled_from(SOURCES), min_size=1), min_size=1, max_size=5).map(
        lambda told: [Deal(n, sources) for n, sources in enumerate(told, 1)]
    ),
    data=st.data(),
)
def test_each_real_deal_is_counted_once_in_whatever_order_its_sources_come(
    database: Database, deals: list[Deal], data: st.DataObject
) -> None:
    records = data.draw(st.permutations([(deal, source) for deal in deals for source in sorted(deal.sources)]))
    cut = data.draw(st.integers(0, len(records)))
    with database.connect(autocommit=True) as connection:
        clear(connection)
        for at, (deal, source) in enumerate(records):
            if at == cut:
                compute(connection)
            # Prices far apart: only the sources of one deal agree. Each writes the price a little differently.
            connection.execute(
                "insert into v2.transaction (transaction_id_raw, source, address_id, sale_price, closing_date, closed,"
                " transaction_owner_agent_id, team_id) values (%s, %s, 1, %s, %s, true, 1, 1)",
                [
                    f"{source}-{deal.number}",
                    source,
                    deal.number * 100_000 + SOURCES.index(source) * 100,
                    date(2031, 1, 10) + timedelta(days=SOURCES.index(source)),
                ],
            )
        compute(connection)
        rows = connection.execute(
            "select t.id, t.transaction_id_raw, t.source, r.id, r.transaction_id_raw, r.source, r.duplicate_of_id"
            " from v2.transaction t left join v2.transaction r on r.id = t.duplicate_of_id"
        ).fetchall()
        counted: dict[str, int] = defaultdict(int)
        for _, raw, source, root, root_raw, root_source, further in rows:
            number = raw.partition("-")[2]
            if root is None:
                counted[number] += 1
                continue
            assert further is None, "a link leads to a link"
            assert root_raw.partition("-")[2] == number, "two real deals became one"
            assert SOURCES.index(root_source) < SOURCES.index(source)
        assert counted == {str(deal.number): 1 for deal in deals}
        total = connection.execute(
            "select coalesce(sum(closed_count), 0) from v2.agg_transactions_by_week where deleted_at is null"
        ).fetchone()
        assert total == (len(deals),)


def _tell(connection: psycopg.Connection[Any], source: str, raw: str, **facts: Any) -> None:
    names = ", ".join(["transaction_id_raw", "source", *facts])
    marks = ", ".join(["%s"] * (2 + len(facts)))
    connection.execute(f"insert into v2.transaction ({names}) values ({marks})", [raw, source, *facts.values()])


def _links(connection: psycopg.Connection[Any]) -> dict[str, tuple[str, str]]:
    compute(connection)
    rows = connection.execute(
        "select t.source || '/' || t.transaction_id_raw, r.source || '/' || r.transaction_id_raw, t.duplicate_rule"
        " from v2.transaction t join v2.transaction r on r.id = t.duplicate_of_id"
    ).fetchall()
    return {mine: (root, rule) for mine, root, rule in rows}


def test_the_rules_come_in_their_order_and_a_chain_leads_to_its_strongest_record(database: Database) -> None:
    with database.connect(autocommit=True) as connection:
        clear(connection)
        _tell(connection, "rezen", "r-1", mls_num="AB-1001", address_id=1)
        _tell(connection, "skyslope", "s-1", mls_num="ab1001", address_id=1)
        _tell(connection, "v1", "r-1", mls_num="9999")
        _tell(connection, "v1", "s-1")
        found = _links(connection)
    assert found == {
        "skyslope/s-1": ("rezen/r-1", "mls"),
        "v1/r-1": ("rezen/r-1", "rezen_id"),
        "v1/s-1": ("rezen/r-1", "rezen_id"),
    }


def test_what_only_looks_alike_is_not_linked(database: Database) -> None:
    close = {"address_id": 1, "sale_price": 500_000, "closing_date": date(2031, 1, 1)}
    with database.connect(autocommit=True) as connection:
        clear(connection)
        _tell(connection, "rezen", "r-1", **close, representation="Seller", mls_num="N/A")
        _tell(connection, "rezen", "r-2", **close, representation="Seller")
        _tell(connection, "skyslope", "side", **close, representation="Buyer")
        _tell(connection, "skyslope", "price", **{**close, "sale_price": 510_000}, mls_num="n/a")
        _tell(connection, "v1", "day", **{**close, "closing_date": date(2031, 1, 16)})
        _tell(connection, "csv", "fell through", **close, terminated=True)
        assert _links(connection) == {}


def test_a_number_that_fills_a_field_links_only_what_agrees_in_a_second_fact(database: Database) -> None:
    filled = {"mls_num": "12345", "sale_price": 410_000, "closing_date": date(2025, 9, 12)}
    with database.connect(autocommit=True) as connection:
        clear(connection)
        _tell(connection, "rezen", "r-1", **filled)
        _tell(connection, "skyslope", "another price", **{**filled, "sale_price": 425_000})
        _tell(connection, "skyslope", "another year", **{**filled, "closing_date": date(2031, 2, 27)})
        _tell(
            connection, "skyslope", "another day", **{**filled, "sale_price": None, "closing_date": date(2025, 9, 13)}
        )
        assert _links(connection) == {}
        _tell(connection, "v1", "moved", **{**filled, "sale_price": 412_500, "closing_date": date(2025, 11, 30)})
        assert _links(connection) == {"v1/moved": ("rezen/r-1", "mls")}


def test_a_link_goes_when_its_rule_no_longer_holds_and_comes_back(database: Database) -> None:
    with database.connect(autocommit=True) as connection:
        clear(connection)
        _tell(connection, "rezen", "r-1", mls_num="1001", address_id=1)
        _tell(connection, "v1", "v-1", mls_num="1001", address_id=1)
        linked = {"v1/v-1": ("rezen/r-1", "mls")}
        assert _links(connection) == linked
        connection.execute("update v2.transaction set deleted_at = now() where source = 'rezen'")
        assert _links(connection) == {}
        connection.execute("update v2.transaction set deleted_at = null where source = 'rezen'")
        assert _links(connection) == linked
        connection.execute("update v2.transaction set mls_num = '1002' where source = 'v1'")
        assert _links(connection) == {}
