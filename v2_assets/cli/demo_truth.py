"""The demo's witness: the sandbox's own facts against the database, read beside the platform and not through it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
from psycopg import sql

from resources.postgres import Database
from v2_assets.cli.sandbox_users import keys_of
from v2_assets.schema import metadata
from v2_assets.schema.stage import STREAMS

Facts = dict[tuple[str, str], dict[str, Any]]


def facts(url: str, users: list[dict[str, Any]]) -> Facts:
    """What is true now: (account_ref without the user, stream's table, e-mail) → id → stamp."""
    told: Facts = {}
    with httpx.Client(timeout=30, trust_env=False) as http:
        for user in users:
            for stream in STREAMS:
                if stream.entity == "accounts":
                    continue
                if stream.integration not in user:
                    continue
                key = user[stream.integration]["api_key"]
                answer = http.get(f"{url}/_world/facts/{stream.integration}/{stream.entity}", params={"key": key})
                answer.raise_for_status()
                told[user["email"], stream.table] = answer.json()["ids"]
    return told


#: The profile shows the agent's teams, a member the size of its own network; both change without a stamp.
_STAMP_SAYS_LITTLE = frozenset({"stage_rezen_agents", "stage_rezen_network_downline", "stage_rezen_network_frontline"})


def changed_since(before: Facts, after: Facts, since: datetime) -> dict[str, int]:
    """Records that are new or carry another stamp, by table; tables without stamps are left out.

    A record that a key only now may see (its contact was handed over) is old: the owner's key had it all along.
    """
    changed: dict[str, int] = {}
    for key, ids in after.items():
        if key[1] not in _STAMP_SAYS_LITTLE and any(stamp is not None for stamp in ids.values()):
            old = before.get(key, {})
            number = sum(1 for i, stamp in ids.items() if (old[i] != stamp if i in old else _instant(stamp) >= since))
            changed[key[1]] = changed.get(key[1], 0) + number
    return changed


def _instant(stamp: Any) -> datetime:
    """A stamp as either system writes it."""
    return datetime.fromtimestamp(stamp / 1000, UTC) if isinstance(stamp, int) else datetime.fromisoformat(stamp)


_COMPARE = """
select count(*) as at_source,
  count(s.id) as staged,
  count(*) filter (where s.status in ('processed', 'duplicate')) as in_v2,
  count(*) filter (where s.id is null) as unknown_here,
  count(*) filter (where s.status not in ('processed', 'duplicate')) as listed_with_reason
from truth t
left join lateral (
  -- The key's own copy; or, of a record that came into its sight by a hand-over, another key's of the same account.
  select x.id, x.status from {stage} x where x.source_id = t.source_id
    and (x.user_id = %(user)s or split_part(x.account_ref, '/', 2) = %(account)s)
  order by (x.user_id = %(user)s) desc limit 1
) s on true
"""
_ORPHANS = """
select count(*) from {stage} s
where s.user_id = %(user)s and (
  (s.status = 'processed' and not exists (select from {live} v where v.id = s.v2_id))
  or (s.status = 'duplicate' and not exists (select from {stage} w where w.id = s.duplicate_of)))
"""


def compare(
    database: Database, told: Facts, users: list[dict[str, Any]], emails: Mapping[str, int]
) -> list[dict[str, Any]]:
    """Per table, over all users: records at the source, staged, in V2, listed with a reason, and unknown here."""
    accounts = {(u["email"], platform): u[platform]["account_id"] for u in users for platform in keys_of(u)}
    lines: dict[str, dict[str, Any]] = {}
    with database.connect() as connection, connection.cursor() as cur:
        # One table for all: a transaction may not make thousands.
        cur.execute("create temp table truth (source_id text) on commit drop")
        for (email, table), ids in told.items():
            stream = next(s for s in STREAMS if s.table == table)
            cur.execute("truncate truth")
            with cur.copy("copy truth from stdin") as copy:
                for source_id in ids:
                    copy.write_row((source_id,))
            names = {"stage": sql.Identifier("staging", table), "live": sql.Identifier("v2", stream.primary)}
            account = accounts[email, stream.integration]
            cur.execute(sql.SQL(_COMPARE).format(**names), {"user": emails[email], "account": account})
            row = cur.fetchone() or (0, 0, 0, 0, 0)
            cur.execute(sql.SQL(_ORPHANS).format(**names), {"user": emails[email]})
            broken = (cur.fetchone() or (0,))[0]
            line = lines.setdefault(
                table,
                {
                    "integration": stream.integration,
                    "stage": table,
                    "table": stream.primary,
                    **dict.fromkeys(
                        ("at_source", "staged", "in_v2", "unknown_here", "listed_with_reason", "broken"), 0
                    ),
                },
            )
            for name, value in zip(
                ("at_source", "staged", "in_v2", "unknown_here", "listed_with_reason"), row, strict=True
            ):
                line[name] += value
            line["broken"] += broken
    return list(lines.values())


_APART = """
select
  (select count(*) from {stage} s join {live} v on v.id = s.v2_id where s.status = 'processed' and {alive}
    and not exists (select from truth t where t.source_id = s.source_id and t.account in ('', {account}))),
  (select count(*) from truth t where t.stamp is not null and t.stamp > coalesce(
    (select max(s.source_updated_at) from {stage} s where s.source_id = t.source_id
      and t.account in ('', {account}) and s.status not in ('pending', 'deferred')), '-infinity'))
"""


def apart(database: Database, told: Facts, users: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """Per table what `compare` does not see: `extra` lives in V2 and is gone at the source, `stale` is older there, or
    still waits for its merge.

    Ids are the source's own, except at the CRM, where they are an account's.
    """
    accounts = {(u["email"], platform): u[platform]["account_id"] for u in users for platform in keys_of(u)}
    found: dict[str, dict[str, int]] = {}
    with database.connect() as connection, connection.cursor() as cur:
        for stream in STREAMS:
            mine = {key: ids for key, ids in told.items() if key[1] == stream.table}
            if not mine:
                continue
            cur.execute("create temp table truth (account text, source_id text, stamp timestamptz) on commit drop")
            with cur.copy("copy truth from stdin") as copy:
                rows: dict[tuple[str, str], datetime | None] = {}
                for (email, table), ids in mine.items():
                    account = accounts[email, stream.integration] if stream.integration == "fub" else ""
                    bare = table in _STAMP_SAYS_LITTLE
                    rows |= {(account, i): None if bare or not s else _instant(s) for i, s in ids.items()}
                for (account, source_id), stamp in rows.items():
                    copy.write_row((account, source_id, stamp))
            cur.execute("create index on truth (source_id)")
            deletable = "deleted_at" in metadata.tables[f"v2.{stream.primary}"].columns
            statement = sql.SQL(_APART).format(
                stage=sql.Identifier("staging", stream.table),
                live=sql.Identifier("v2", stream.primary),
                alive=sql.SQL("v.deleted_at is null" if deletable else "true"),
                account=sql.SQL("split_part(s.account_ref, '/', 2)"),
            )
            extra, stale = cur.execute(statement).fetchone() or (0, 0)
            found[stream.table] = {"extra": extra, "stale": stale}
            cur.execute("drop table truth")
    return found


def stored_since(database: Database, since: datetime) -> dict[str, int]:
    """Staged records whose content arrived after an instant, by table."""
    with database.connect() as connection:
        return {
            stream.table: (
                connection.execute(
                    sql.SQL("select count(*) from {} where fetched_at >= %s").format(
                        sql.Identifier("staging", stream.table)
                    ),
                    [since],
                ).fetchone()
                or (0,)
            )[0]
            for stream in STREAMS
        }
