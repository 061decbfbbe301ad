"""V1 beside V2 at full size: our comparison of one table against a plain SQL FULL JOIN of the same tables.

Run: `PYTHONPATH=. python -P bench/compare.py [--rows 1700000] [--differing 0.01]`. It starts a Postgres, fills
v1.fub_people and v2.fub_people with the same contacts but for a share that is missing, extra or changed, and compares
12 columns by the key. Both ways run in turns on the same warm server; the ratio is of the best of each. The plain join
only counts what differs; ours also brings V1's numbers into V2's, finds keys that V1 has twice, and explains and stores
what it finds.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import tempfile
import time
from pathlib import Path

from psycopg import sql

from resources.embedded import EmbeddedPostgres
from resources.postgres import Database
from v2_assets.compare import engine
from v2_assets.compare.mapping import v1_columns
from v2_assets.compare.source import v1_tables_for
from v2_assets.compare.values import TYPES
from v2_assets.schema import migrate

#: Two of the key, ten that are compared.
COLUMNS = (
    "people_name", "first_name", "last_name", "email", "phone", "stage_name", "source_name", "price", "contacted",
    "fub_created_at",
)  # fmt: skip
_ROWS = """
select g as id, g as fub_people_id_raw, 'Contact ' || g as people_name, 'First ' || g % 5000 as first_name,
  'Last ' || g % 70000 as last_name, 'contact' || g || '@example.test' as email,
  '801555' || lpad((g % 10000)::text, 4, '0') as phone, 'Stage ' || g % 12 as stage_name,
  'Source ' || g % 30 as source_name, (g % 900000)::numeric as price, g % 3 = 0 as contacted,
  timestamptz '2020-01-01 00:00:00+00' + g * interval '1 minute' as fub_created_at
from generate_series(1, {rows}) g
"""


def main() -> None:
    """Prints the seconds of both ways, their ratio, and our largest memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_700_000)
    parser.add_argument("--differing", type=float, default=0.01)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="v2-bench-"))
    home.chmod(0o711)
    server = EmbeddedPostgres(home)
    try:
        server.hold()
        database = Database(server.url("postgres"))
        migrate.upgrade(database.url)
        _fill(database, arguments.rows, arguments.differing)
        _measure(database, arguments.rows, arguments.rounds)
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)


def _fill(database: Database, rows: int, differing: float) -> None:
    """V2 lacks, has changed and has added each a third of the share that differs."""
    every = max(3, round(3 / differing)) if differing else rows * 10
    source = sql.SQL(_ROWS).format(rows=sql.Literal(rows))  # type: ignore[arg-type]
    names = sql.SQL(", ").join(map(sql.Identifier, ("fub_people_id_raw", *COLUMNS)))
    with database.connect() as connection:
        for table in v1_tables_for(["fub_people"]):
            columns = sql.SQL(", ").join(
                sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(TYPES[kind]))
                for name, kind in v1_columns(table).items()
            )
            connection.execute(
                sql.SQL("create table {} ({}, primary key (id))").format(sql.Identifier("v1", table), columns)
            )
        connection.execute("insert into v1.fub_accounts (id, account_id_raw) values ('70', 51)")
        connection.execute("insert into v2.fub_accounts (account_id_raw, source) values (51, 'fub')")
        connection.execute(
            sql.SQL(
                "insert into v1.fub_people (id, fub_account_id, {0}) select id::text, '70', {0} from ({1}) r"
            ).format(names, source)
        )
        connection.execute(
            sql.SQL(
                "insert into v2.fub_people (fub_account_id, source, {0})"
                " select a.id, 'fub', {1} from ({2}) r, v2.fub_accounts a where r.id % {3} <> 0"
            ).format(
                names,
                sql.SQL(", ").join(
                    sql.SQL("case when r.id % {} = 1 then 'Changed' else r.people_name end").format(sql.Literal(every))
                    if name == "people_name"
                    else sql.SQL("case when r.id % {0} = 2 then -r.id else r.{1} end").format(
                        sql.Literal(every), sql.Identifier(name)
                    )
                    if name == "fub_people_id_raw"
                    else sql.Identifier(name)
                    for name in ("fub_people_id_raw", *COLUMNS)
                ),
                source,
                sql.Literal(every),
            )
        )
        for table in v1_tables_for(["fub_people"]):
            met = (
                ["id", "account_id_raw"]
                if table == "fub_accounts"
                else ["id", "fub_account_id", "fub_people_id_raw", *COLUMNS]
            )
            count = sql.SQL("select count(*) from {}").format(sql.Identifier("v1", table))
            connection.execute(
                sql.SQL(
                    "insert into ops.v1_snapshot (table_name, status, source, taken_at, rows, columns)"
                    " values (%s, 'complete', 'bench', now(), greatest(({}), 1), %s)"
                ).format(count),
                [table, json.dumps(met if table in ("fub_accounts", "fub_people") else ["id"])],
            )
    with database.connect(autocommit=True) as connection:
        connection.execute("vacuum analyze")


def _measure(database: Database, rows: int, rounds: int) -> None:
    columns = sql.SQL(" or ").join(
        sql.SQL("{} is distinct from {}").format(sql.Identifier("a", name), sql.Identifier("b", name))
        for name in COLUMNS
    )
    plain = sql.SQL(
        "select count(*) from v1.fub_people a full join v2.fub_people b on a.fub_people_id_raw = b.fub_people_id_raw"
        " where a.id is null or b.id is null or {}"
    ).format(columns)
    ours: list[float] = []
    theirs: list[float] = []
    differing = None
    found = None
    for _ in range(rounds):
        with database.connect() as connection:
            connection.execute(sql.SQL("set work_mem = {}").format(sql.Literal(engine.WORK_MEM)))
            started = time.monotonic()
            differing = connection.execute(plain).fetchall()[0][0]
            theirs.append(time.monotonic() - started)
        started = time.monotonic()
        found = engine.compare(database, tables=["fub_people"])
        ours.append(time.monotonic() - started)
    assert found is not None
    table = found.tables[0]
    print(
        json.dumps(
            {
                "rows": rows,
                "columns": 2 + len(COLUMNS),
                "full_join_s": [round(each, 2) for each in theirs],
                "ours_s": [round(each, 2) for each in ours],
                "ratio": round(min(ours) / min(theirs), 2),
                "differing": differing,
                "found": table.missing + table.extra + table.changed,
                "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            }
        )
    )


if __name__ == "__main__":
    main()
