"""The page of what each role may do, read from the catalogue of a migrated database.

`python -m v2_assets.schema.privileges` starts a Postgres of its own, migrates it, and writes
docs/reference/privileges.md; a test holds the page to the catalogue, and tries as each role whatever is not on it.
Not here: the grants themselves (`roles`, `visibility`).
"""

from __future__ import annotations

import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psycopg

from resources.embedded import EmbeddedPostgres
from resources.postgres import Database
from v2_assets.schema import migrate
from v2_assets.schema.roles import DEFINER, ROLES
from v2_assets.schema.vocabulary import SCHEMAS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "privileges.md"
PUBLIC = "public"
TABLE_RIGHTS = ("select", "insert", "update", "delete", "truncate", "references", "trigger")
_WHO = {
    "v2_writer": "The pipelines.",
    "v2_reader": "People and reports.",
    "v2_api": "The read endpoints. Of each table only rows of the token's holder, by row-level security.",
    "v2_receiver": "The webhook receiver.",
    DEFINER: "Owns the functions that see past row-level security. Nobody logs in as it.",
    PUBLIC: "Whoever else may connect: nobody.",
}
_SELECT = """
with who as (select unnest(%(roles)s::text[]) as role),
spaces as (select oid, nspname from pg_namespace where nspname = any(%(schemas)s)),
tables as (select c.oid, n.nspname, c.relname from pg_class c join spaces n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p', 'v', 'm') and c.relname <> 'alembic_version'),
rights (role, kind, may, space, name) as (
  select role, 'database', verb, null::text, null::text from who, unnest(array['connect', 'temporary', 'create']) verb
  where has_database_privilege(role, current_database(), verb)
  union all
  select role, 'schema', verb, null, nspname from who, spaces, unnest(array['usage', 'create']) verb
  where has_schema_privilege(role, oid, verb)
  union all
  select role, 'table', verb, nspname, relname from who, tables, unnest(%(verbs)s::text[]) verb
  where has_table_privilege(role, oid, verb)
  union all
  select role, 'column', verb, t.nspname, t.relname || ' (' || string_agg(a.attname, ', ' order by a.attnum) || ')'
  from who, tables t join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped,
    unnest(array['select', 'insert', 'update', 'references']) verb
  where has_column_privilege(role, t.oid, a.attnum, verb) and not has_table_privilege(role, t.oid, verb)
  group by role, verb, t.nspname, t.relname
  union all
  select role, 'function', 'call', nspname, p.proname::text || '(' || pg_get_function_identity_arguments(p.oid) || ')'
  from who, pg_proc p join spaces n on n.oid = p.pronamespace where has_function_privilege(role, p.oid, 'execute')
)
select * from rights order by 1, 2, 3, 4, 5
"""

Rights = dict[str, dict[tuple[str, str], list[str]]]
"""Role → (kind, verb) → names; a table's or a function's with its schema."""


def read(connection: psycopg.Connection[Any]) -> Rights:
    """What each role may do, as Postgres says."""
    rows = connection.execute(
        _SELECT, {"roles": [*ROLES, DEFINER, PUBLIC], "schemas": list(SCHEMAS), "verbs": list(TABLE_RIGHTS)}
    )
    found: Rights = {role: defaultdict(list) for role in (*ROLES, DEFINER, PUBLIC)}
    for role, kind, may, space, name in rows:
        found[role][kind, may].append(f"{space}.{name}" if space else name or "")
    return found


def page(connection: psycopg.Connection[Any]) -> str:
    """The page in Markdown."""
    rights = read(connection)
    tables = [name for names in rights["v2_writer"].values() for name in names]
    every = {space: sorted({name for name in tables if name.startswith(f"{space}.") and "(" not in name})
             for space in SCHEMAS}  # fmt: skip
    parts = [
        "# What each role may do",
        "",
        "<!-- Made by `python -m v2_assets.schema.privileges` from the catalogue of a migrated database. -->",
        "",
        "Read from Postgres itself; what is not here is refused. `tests/schema/test_privileges.py` holds this page to",
        "the catalogue, and tries as each role what is not on it. Which login is a member of which role is in",
        "[the installation](../howto/install.md#the-database); why, in [security](../explanation/security.md).",
    ]
    for role, kinds in rights.items():
        parts += ["", f"## {role}", "", _WHO[role], ""]
        if not kinds:
            parts.append("Nothing.")
            continue
        parts += ["| may | on |", "|---|---|"]
        parts += [_row(kind, may, names, every) for (kind, may), names in kinds.items()]
    return "\n".join(parts) + "\n"


def _row(kind: str, may: str, names: list[str], every: dict[str, list[str]]) -> str:
    if kind == "database":
        told = "the database" if may == "connect" else "objects of the database"
    elif kind == "table":
        told = "; ".join(_tables(space, {n for n in names if n.startswith(f"{space}.")}, every[space])
                         for space in SCHEMAS if any(n.startswith(f"{space}.") for n in names))  # fmt: skip
    else:
        told = ", ".join(f"`{name}`" for name in sorted(names))
    return f"| {may} ({kind}) | {told} |"


def _tables(space: str, names: Iterable[str], every: list[str]) -> str:
    """All tables of a schema, all but a few, or the list."""
    names, missing = sorted(names), sorted(set(every) - set(names))
    if not missing:
        return f"every table of `{space}`"
    if len(missing) <= 3:
        return f"every table of `{space}` but {', '.join(f'`{name}`' for name in missing)}"
    return ", ".join(f"`{name}`" for name in names)


def main() -> None:
    """Writes the page."""
    home = Path(tempfile.mkdtemp(prefix="v2-privileges-"))
    home.chmod(0o711)
    server = EmbeddedPostgres(home, fsync=False)
    try:
        url = server.hold()
        migrate.upgrade(url)
        with Database(url).connect() as connection:
            PAGE.write_text(page(connection), encoding="utf-8")
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
