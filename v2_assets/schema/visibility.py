"""Who sees which row: the one description that the policies in Postgres are made from.

A user sees the own rows; an account admin also those of the team. What is whose is computed by the functions
`ops.api_*` of revision 0022; here every table that the read endpoints may touch says which of its columns holds what.
A table that is not listed cannot be read by the role v2_api at all. docs/explanation/row-level-security.md explains it.

Here: the rules and bringing a database to them. Not here: who the caller is (the functions), other roles' grants
(`roles`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection

from v2_assets.schema.describe import table_named
from v2_assets.schema.roles import DEFINER

Set = Literal["users", "agents", "own_agents", "teams", "own_teams", "deals", "listings"]
"""What a caller has: each is a function `ops.api_<set>()` that gives ids."""


@dataclass(frozen=True, slots=True)
class Own:
    """The row is visible when `column` is one of the caller's `set`. An index of the column serves it."""

    column: str
    set: Set

    def sql(self, table: str) -> str:
        # The sub-select makes it an InitPlan: computed once per statement, and an array that an index can be asked for.
        return f'{table}."{self.column}" = any((select ops.api_{self.set}())::bigint[])'


Rule = tuple[Own, ...]
"""One of these must hold; none for rows that are everybody's."""

_MEMBER: Rule = (Own("team_id", "teams"), Own("agent_id", "own_agents"))
_EARNED: Rule = (Own("user_id", "users"), Own("agent_id", "agents"))
_DEAL: Rule = (Own("transaction_id", "deals"),)
_LISTING: Rule = (Own("listing_id", "listings"),)

RULES: dict[str, Rule] = {
    "agent": (Own("id", "agents"),),
    "agent_cap_data": (Own("agent_id", "agents"),),
    "agent_performance": (Own("agent_id", "agents"),),
    "team": (Own("id", "own_teams"),),
    "team_members": _MEMBER,
    "director": _MEMBER,
    "leader": _MEMBER,
    "mentor": _MEMBER,
    "transaction": (Own("id", "deals"),),
    "transaction_financials": _DEAL,
    "transaction_history": _DEAL,
    "transaction_tags": _DEAL,
    "participant": (*_DEAL, *_LISTING),
    "participant_paid": _DEAL,
    "listing": (Own("id", "listings"),),
    "network_member": _EARNED,
    "contribution": (Own("user_id", "users"), Own("receiving_agent_id", "agents")),
    "income": _EARNED,
    "revshare_totals": (Own("user_id", "users"),),
    "fub_people": (Own("user_id", "users"),),
    "fub_deals": (Own("ad_user_id", "users"),),
    "fub_calls": (Own("user_id", "users"),),
    "fub_events": (Own("user_id", "users"),),
    "fub_appointments": (Own("user_id", "users"),),
    "fub_text_messages": (Own("user_id", "users"),),
    "agg_leaderboard": _MEMBER,
    "agg_fub_activity_by_agent": (Own("user_id", "users"),),
    "ops.sync_state": (Own("user_id", "users"),),
    "ops.onboarding_job": (Own("user_id", "users"),),
}
"""Table (of schema v2 unless it says otherwise) → rule."""

# They see past row-level security, so nobody else may call them. The driver reads % as its own, hence %%.
_FUNCTIONS = """
do $$ declare f regprocedure; begin
    for f in select p.oid from pg_proc p
        where p.pronamespace = 'ops'::regnamespace and p.proname ^@ 'api_'
          and has_function_privilege('public', p.oid, 'execute')
    loop
        execute format('revoke all on function %%s from public; grant execute on function %%1$s to v2_api', f);
    end loop;
end $$
"""


def condition(table: str) -> str:
    """The rule as SQL over rows of `table`."""
    full = table_named(table).fullname
    return " or ".join(part.sql(_quoted(full)) for part in RULES[table]) or "true"


def enact(connection: Connection) -> None:
    """Bring the database to the rules: policies, grants of v2_api. Touches only what differs, so it can be repeated.

    A changed policy needs the table for itself for a moment; an unchanged one is not touched. Does nothing while the
    roles do not exist.
    """
    found = connection.exec_driver_sql(
        "select count(*) from pg_roles where rolname in ('v2_api', 'v2_reader', 'v2_writer')"
    ).scalar_one()
    if found != 3:
        return
    wanted = {table_named(table).fullname: condition(table) for table in RULES}
    known = dict(
        connection.exec_driver_sql(
            "select c.relnamespace::regnamespace || '.' || c.relname, obj_description(p.oid, 'pg_policy')"
            " from pg_policy p join pg_class c on c.oid = p.polrelid where p.polname = 'v2_api'"
        ).fetchall()  # pyright: ignore[reportArgumentType]
    )
    definer = connection.exec_driver_sql("select to_regrole(%s) is not null", (DEFINER,)).scalar_one()
    for table, rule in wanted.items():
        policies = _policies(table, rule, definer=definer)
        digest = hashlib.sha256(policies.encode()).hexdigest()[:16]
        if known.get(table) != digest:
            marked = f"{policies}comment on policy v2_api on {_quoted(table)} is '{digest}'"
            connection.exec_driver_sql(marked.replace("%", "%%"))
    _grant(connection, set(wanted))


def _policies(table: str, rule: str, *, definer: bool) -> str:
    """Who is not the owner sees rows only by a policy once security is on, so the platform's other roles get theirs."""
    on = _quoted(table)
    made = f"""
    alter table {on} enable row level security;
    drop policy if exists v2_api on {on};
    drop policy if exists v2_writer on {on};
    drop policy if exists v2_reader on {on};
    drop policy if exists v2_definer on {on};
    create policy v2_api on {on} for select to v2_api using ({rule});
    create policy v2_writer on {on} to v2_writer using (true) with check (true);
    create policy v2_reader on {on} for select to v2_reader using (true);
    """
    return made + f"create policy v2_definer on {on} to v2_definer using (true) with check (true);\n" * definer


def _quoted(table: str) -> str:
    return ".".join(f'"{part}"' for part in table.split("."))


def _grant(connection: Connection, tables: set[str]) -> None:
    may = set(
        connection.exec_driver_sql(
            "select c.relnamespace::regnamespace || '.' || c.relname from pg_class c"
            " where c.relkind in ('r', 'p', 'v', 'm') and c.relnamespace in"
            " ('v2'::regnamespace, 'ops'::regnamespace, 'staging'::regnamespace, 'v1'::regnamespace)"
            " and has_table_privilege('v2_api', c.oid, 'select')"
        ).scalars()
    )
    for table in sorted(may - tables):
        connection.exec_driver_sql(f"revoke all on {_quoted(table)} from v2_api")
    for table in sorted(tables - may):
        connection.exec_driver_sql(f"grant select on {_quoted(table)} to v2_api")
    connection.exec_driver_sql("grant usage on schema v2, ops to v2_api")
    connection.exec_driver_sql(_FUNCTIONS)
