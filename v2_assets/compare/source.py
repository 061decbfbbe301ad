"""Which of V1's tables a comparison needs, and whose connection reads them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from resources.errors import MissingCredential
from resources.postgres import Database
from v2_assets.compare.mapping import mappings


def v1_tables_for(tables: Iterable[str] | None) -> tuple[str, ...]:
    """V1's tables that comparing these tables of V2 reads; all if none is named.

    Those that they point to are among them, and what the keys of those point to.
    """
    known = mappings()
    needed: set[str] = set()
    parents: list[str] = []
    for mapping in (known[name] for name in tables or known if name in known):
        parents += ["user"] if mapping.user else []
        for part in (mapping, *mapping.also):
            needed.add(part.table)
            parents += part.parents
    seen: set[str] = set()
    while parents:
        mapping = known[parents.pop()]
        if mapping.v2_table not in seen:
            seen.add(mapping.v2_table)
            needed.add(mapping.table)
            parents += [str(rule.target) for rule in mapping.keys if rule.kind == "pointer"]
    return tuple(sorted(needed))


def not_taken(database: Database, tables: Iterable[str], older_than: timedelta | None = None) -> tuple[str, ...]:
    """Those of V1's tables that were never read to their end (nor found to be absent), or not for so long."""
    since = datetime.now(UTC) - older_than if older_than is not None else None
    with database.connect() as connection:
        known = {
            row[0]
            for row in connection.execute(
                "select table_name from ops.v1_snapshot where (status = 'absent' or taken_at is not null)"
                " and (%(since)s::timestamptz is null or looked_at >= %(since)s)",
                {"since": since},
            )
        }
    return tuple(table for table in tables if table not in known)


def reader_of_v1(database: Database) -> int:
    """The first user with a verified connection to V1. Raises MissingCredential if there is none."""
    with database.connect() as connection:
        row = connection.execute(
            "select min(user_id) from v2.credentials where platform = 'xano' and verified and active"
            " and state = 'ok' and deleted_at is null"
        ).fetchone()
    if row is None or row[0] is None:
        raise MissingCredential(
            "nobody has a verified connection to V1",
            hint="enter one with `v2 onboard --user … --platform xano --account-id WORKSPACE`,"
            " or give --from-folder or --from-postgres-env",
        )
    return int(row[0])
