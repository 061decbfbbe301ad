"""A small world in which every row says who may see it, told by other means than the policies'.

Two teams, each with an admin; a user without a team; one who has a seat on a team's roster but belongs to the other
team of the product; deals that several take part in. `may_see` is the rule in plain words; tests hold Postgres and the
endpoints to it.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql

from v2_assets.schema.describe import table_named, type_name

ADMIN, ANN, BOB, OTHER_ADMIN, CAT, LONE, GUEST = range(1, 8)
USERS = (ADMIN, ANN, BOB, OTHER_ADMIN, CAT, LONE, GUEST)
TEAM_OF = {ADMIN: 1, ANN: 1, BOB: 1, OTHER_ADMIN: 2, CAT: 2, LONE: None, GUEST: 2}
ADMINS = {ADMIN: 1, OTHER_ADMIN: 2}
#: An agent of team 1 who is no user of the product.
STRANGER = 99
#: Who has a seat where; GUEST has one on team 1 too, and belongs to team 2.
ROSTER = {1: (ADMIN, ANN, BOB, GUEST, STRANGER), 2: (OTHER_ADMIN, CAT, GUEST)}


@dataclass(frozen=True)
class Owner:
    """Whose a row is: users, users but not their admin, agents who are nobody's, teams whose admin sees it."""

    users: frozenset[int] = frozenset()
    only: frozenset[int] = frozenset()
    agents: frozenset[int] = frozenset()
    teams: frozenset[int] = frozenset()


@dataclass
class World:
    """Rows by table: id → owner."""

    owners: dict[str, dict[int, Owner]] = field(default_factory=lambda: defaultdict(dict))

    def may_see(self, user: int, table: str) -> set[int]:
        """The ids of the rows of a table that are the user's, and for an account admin the team's."""
        return {row for row, owner in self.owners[table].items() if _sees(user, owner)}


def _sees(user: int, owner: Owner) -> bool:
    team = ADMINS.get(user)
    if user in owner.users | owner.only:
        return True
    if team is None:
        return False
    mine = {other for other, of in TEAM_OF.items() if of == team}
    return bool(owner.users & mine) or team in owner.teams or (STRANGER in owner.agents and team == 1)


def _by(user: int) -> Owner:
    return Owner(users=frozenset({user}))


def _agent(person: int) -> int:
    """The agent that a user is, or the one who is no user."""
    return 1000 + person


def build(connection: psycopg.Connection[Any], seed: int = 1) -> World:
    """Fills the tables that the endpoints read; the same seed makes the same world."""
    made = World()
    dice = random.Random(seed)
    writer = _Writer(connection, dice)
    people(connection)
    everybody = (*USERS, STRANGER)
    for person in everybody:
        made.owners["agent"][_agent(person)] = _owner_of_agent(person)
        for table in ("agent_cap_data", "agent_performance"):
            made.owners[table][writer.row(table, agent_id=_agent(person))] = _owner_of_agent(person)
    for team in (1, 2):
        members = frozenset(user for user, of in TEAM_OF.items() if of == team)
        made.owners["team"][team] = Owner(users=members)
        for table in ("team_members", "director", "leader", "mentor", "agg_leaderboard"):
            for person in ROSTER[team]:
                own = Owner(only=frozenset({person} & set(USERS)), teams=frozenset({team}))
                # A seat in a team is that team's, so the other team's admin does not see it through the member.
                seat = {"active": True} if table == "team_members" else {}
                made.owners[table][writer.row(table, team_id=team, agent_id=_agent(person), **seat)] = own
    _deals(made, writer, dice)
    for user in USERS:
        for _ in range(dice.randint(3, 9)):
            _money(made, writer, dice, user)
        _crm(made, writer, dice, user)
    connection.commit()
    return made


def _owner_of_agent(person: int) -> Owner:
    return _by(person) if person != STRANGER else Owner(agents=frozenset({STRANGER}))


def people(connection: psycopg.Connection[Any]) -> None:
    """Users, teams, roles and agents."""
    for team in (1, 2):
        connection.execute(
            "insert into v2.team (id, team_id_raw, team_name, source) overriding system value"
            " values (%s, %s, %s, 'test')",
            [team, f"team-{team}", f"Team {team}"],
        )
    for person in (*USERS, STRANGER):
        if person != STRANGER:
            connection.execute(
                'insert into v2."user" (id, email, team_id, agent_id) values (%s, %s, %s, %s)',
                [person, f"user{person}@example.com", TEAM_OF[person], _agent(person)],
            )
            connection.execute(
                "insert into v2.user_roles (user_id, is_account_admin, team_id) values (%s, %s, %s)",
                [person, person in ADMINS, TEAM_OF[person]],
            )
        connection.execute(
            "insert into v2.agent (id, agent_id_raw, display_name, user_id, source) overriding system value"
            " values (%s, %s, %s, %s, 'test')",
            [_agent(person), f"agent-{person}", f"Agent {person}", person if person != STRANGER else None],
        )


def _deals(made: World, writer: _Writer, dice: random.Random) -> None:
    for table, own_key in (("transaction", "transaction_id"), ("listing", "listing_id")):
        for _ in range(60):
            user = dice.choice([*USERS, None])
            agent = dice.choice([*USERS, STRANGER, None])
            team = dice.choice([1, 2, None, None])
            takers = dice.sample([*USERS, STRANGER], dice.randint(0, 3))
            outsider = dice.choice([*USERS, None])
            row = writer.row(
                table, user_id=user, transaction_owner_agent_id=agent and _agent(agent), team_id=team,
                address_id=writer.row("address"), duplicate_of_id=None, listing_id=None, closed=dice.random() < 0.5,
            )  # fmt: skip
            persons = {person for person in (user, agent, *takers) if person is not None}
            owner = Owner(
                users=frozenset(persons & set(USERS)),
                agents=frozenset(persons & {STRANGER}),
                teams=frozenset({team} - {None}),
            )
            made.owners[table][row] = owner
            seats = [(person, False) for person in takers] + [(outsider, True)] * (outsider is not None)
            for person, external in seats:
                participant = writer.row(
                    "participant", agent_id=_agent(person), external=external,
                    transaction_id=row if table == "transaction" else None,
                    listing_id=row if table == "listing" else None,
                )  # fmt: skip
                made.owners["participant"][participant] = owner
                if table == "transaction":
                    paid = writer.row("participant_paid", transaction_id=row, participant_id=participant)
                    made.owners["participant_paid"][paid] = owner
            if table == "transaction":
                for child in ("transaction_financials", "transaction_history", "transaction_tags"):
                    made.owners[child][writer.row(child, **{own_key: row})] = owner


def _money(made: World, writer: _Writer, dice: random.Random, user: int) -> None:
    through = dice.random() < 0.7  # else only the agent says whose it is
    who = {"user_id": user if through else None, "agent_id": _agent(user)}
    other = _agent(dice.choice([*USERS, STRANGER]))
    made.owners["network_member"][writer.row("network_member", **who, downline_agent_id=other)] = _by(user)
    made.owners["income"][writer.row("income", **who)] = _by(user)
    contribution = writer.row(
        "contribution", user_id=who["user_id"], receiving_agent_id=_agent(user), contributing_agent_id=other,
        duplicate_of_id=None,
    )  # fmt: skip
    made.owners["contribution"][contribution] = _by(user)
    made.owners["revshare_totals"][writer.row("revshare_totals", user_id=user)] = _by(user)


def _crm(made: World, writer: _Writer, dice: random.Random, user: int) -> None:
    # One account for all, so that nothing but the user tells rows apart.
    account = writer.once("fub_accounts", account_id_raw=1, user_id=None)
    for _ in range(dice.randint(5, 15)):
        person = writer.row("fub_people", fub_account_id=account, user_id=user)
        made.owners["fub_people"][person] = _by(user)
        made.owners["fub_events"][writer.row("fub_events", fub_account_id=account, fub_people_id=person)] = _by(user)
        for table in ("fub_calls", "fub_text_messages"):
            made.owners[table][writer.row(table, fub_account_id=account, user_id=user, fub_people_id=person)] = _by(
                user
            )
        appointment = writer.row("fub_appointments", fub_account_id=account, user_id=user, invited_person_id=person)
        made.owners["fub_appointments"][appointment] = _by(user)
        made.owners["fub_deals"][writer.row("fub_deals", fub_account_id=account, ad_user_id=user)] = _by(user)
    made.owners["fub_events"][writer.row("fub_events", fub_account_id=account, fub_people_id=None)] = Owner()
    for _ in range(5):
        row = writer.row("agg_fub_activity_by_agent", user_id=user)
        made.owners["agg_fub_activity_by_agent"][row] = _by(user)
    writer.plain("ops.sync_state", integration="fub", entity=f"e{user}", account_ref=f"fub/1/{user}", user_id=user)


class _Writer:
    """Rows of a table with values for what is not told: few different ones, so that filters meet several rows."""

    def __init__(self, connection: psycopg.Connection[Any], dice: random.Random) -> None:
        self._connection, self._dice, self._number = connection, dice, 0
        self._made: dict[str, int] = {}

    def once(self, table: str, **values: Any) -> int:
        if table not in self._made:
            self._made[table] = self.row(table, **values)
        return self._made[table]

    def row(self, table: str, **values: Any) -> int:
        declared = table_named(table)
        left_to_it = {"id", "created_at", "updated_at", "deleted_at", "source", "source_updated_at"}
        filled = {
            column.name: values.get(column.name, self._value(table, column.name, type_name(column)))
            for column in declared.columns
            if column.name not in left_to_it and (column.name in values or not column.foreign_keys)
        }
        return self.plain(table, **filled, source="test")

    def plain(self, table: str, **values: Any) -> int:
        schema, _, name = table_named(table).fullname.partition(".")
        has_id = "id" in table_named(table).columns
        statement = sql.SQL("insert into {} ({}) values ({}) {}").format(
            sql.Identifier(schema, name),
            sql.SQL(", ").join(map(sql.Identifier, values)),
            sql.SQL(", ").join(sql.Placeholder() * len(values)),
            sql.SQL("returning id" if has_id else ""),
        )
        cursor = self._connection.execute(statement, list(values.values()))
        return cursor.fetchall()[0][0] if has_id else 0

    def _value(self, table: str, column: str, kind: str) -> Any:
        self._number += 1
        declared, dice = table_named(table), self._dice
        if column in declared.info["natural_key"]:
            return self._of_key(column, kind)
        day = f"2026-{dice.randint(1, 11):02}-{dice.randint(1, 28):02}"
        some = {
            "text": ["Active", "Pending", f"{column} %_\\'x"],
            "bigint": [dice.randint(0, 5)],
            "smallint": [dice.randint(1, 5)],
            "boolean": [True, False],
            "date": [day],
            "timestamptz": [f"{day}T09:30:00.123456Z"],
            "text[]": [["a", "b"]],
            "jsonb": ['{"a": [1, null]}'],
        }.get(kind, ["0", "12.50", "410.75"])
        return dice.choice([None, *some] if declared.columns[column].nullable else some)

    def _of_key(self, column: str, kind: str) -> Any:
        """A value that no other row has."""
        whole = {"period_year": 2026, "tier": self._dice.randint(1, 5)}.get(column, self._number)
        day = f"{2000 + self._number // 300}-{self._number // 25 % 12 + 1:02}-{self._number % 25 + 1:02}"
        of = {"text": f"{column} {self._number}", "date": day, "timestamptz": f"{day}T09:30:00Z"}
        return of.get(kind, whole)


def only_of(connection: psycopg.Connection[Any], world: World, user: int, tables: Sequence[str]) -> str:
    """A schema that holds nothing but the user's rows of these tables; returns its name."""
    name = f"only_{user}"
    connection.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(name)))
    for table in tables:
        connection.execute(
            sql.SQL("create table if not exists {} as select * from {} where id = any(%s)").format(
                sql.Identifier(name, table), sql.Identifier("v2", table)
            ),
            [list(world.may_see(user, table))],
        )
    return name
