"""Records that nobody would write: a golden case's record with one field replaced by what no source should send.

A mutant is a sibling of the record that it was made from, under an id of its own, and comes the way a client hands a
row on: by `record_of` and its stream's model.
"""

from __future__ import annotations

import asyncio
import copy
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg import sql
from psycopg.rows import dict_row

from resources.apis import MODELS
from resources.apis.records import record_of
from resources.postgres import Database
from resources.reading import Page, Record
from tests.merge.stage import NOON, STREAM_OF, V2, Staged, enter_users, merge_everything, store, work_of
from v2_assets.schema import metadata
from v2_assets.staging.state import StreamKey
from v2_assets.staging.store import store_page

GOLDEN = Path(__file__).parent.parent / "golden"
LONG = "".join(random.Random(3).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=6_000))
#: What a field is replaced with.
ODD: tuple[Any, ...] = (
    *(None, True, False, 0, 1, 2, -1, -5, 1.5, 0.1, 1e30, 1e-30, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 10**40, -(10**12)),
    *("", " ", "\t", "x", "null", "80/20", "50 %", "1,000", "410,000.00", "1.000,00", "$5", "NaN", "Infinity", "1e400"),
    *("0x1F", "1_000", "٣", "0000-00-00", "0202-08-02", "9999-12-31", "2031-02-30", "2031-13-01", "20310203T100000Z"),
    *("2031-W05-1", "2031-02-03T10:00:00,5Z", "2031-02-03T25:00:00Z", "2031-02-03T10:00:00+23:00", "-1", "9" * 25),
    *(
        LONG,
        "a\x00b",
        "a\ud800b",
        "\U0001f600",
        "'; drop table v2.agent; --",
        "%s",
        "\\",
        "{",
        "a/b",
        "-infinity",
        "now",
    ),
    *([], {}, [None], [[]], [{}], {"amount": None}, {"amount": "a dozen", "currency": 7}, {"amount": {"amount": 1}}),
    *(
        {"value": []},
        {"id": {}},
        {"state": ["x"]},
        [7, "x", None],
        [{"id": "a"}, {"id": "a"}],
        {"": ""},
        {"a": {"b": [1]}},
    ),
)
#: Files are typed cell by cell before they are stored.
_SOURCES = ("fub", "rezen", "skyslope", "title", "xano")


@dataclass(frozen=True)
class Mutant:
    """A record, what was done to it, and what a client makes of it."""

    stage: str
    path: str
    value: Any
    user_id: int
    account_ref: str
    record: Record

    def __repr__(self) -> str:
        return f"{self.stage} {self.record.source_id}: {self.path} = {str(self.value)[:60]!r}"


def cases(stage: str) -> list[dict[str, Any]]:
    """The golden cases that stage records of this kind."""
    read = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(GOLDEN.glob("*/*.json"))]
    return [case for case in read if any(row["stage"] == stage for row in case["staged"])]


def stages() -> list[str]:
    """The staging tables of which there are golden records."""
    found = {
        row["stage"]
        for path in GOLDEN.glob("*/*.json")
        for row in json.loads(path.read_text(encoding="utf-8"))["staged"]
    }
    return sorted(stage for stage in found if STREAM_OF[stage].integration in _SOURCES)


def mutants(case: dict[str, Any], stage: str, number: int, rng: random.Random) -> list[Mutant]:
    """So many siblings of the case's records of this kind, each with one field replaced."""
    originals = [row for row in case["staged"] if row["stage"] == stage]
    return [_mutant(Staged.parse(rng.choice(originals)), n, rng) for n in range(1, number + 1)]


def _mutant(original: Staged, n: int, rng: random.Random) -> Mutant:
    stream = STREAM_OF[original.stage]
    model = MODELS[stream.integration][stream.entity]
    source_id, payload = _sibling(original, n)
    places = list(_places(payload))
    # Half of them in what the model knows: that is what selects read.
    known = [(parent, key) for parent, key in places if key in _names(model)]
    wanted = [(payload, name) for name in model.model_fields if name not in ("id",)]
    parent, key = rng.choice(rng.choice([some for some in (places, known, wanted) if some]))
    value = copy.deepcopy(rng.choice(ODD))
    parent[key] = value
    context = payload.pop("_v2", None)
    record = record_of(
        payload, model, source_id=lambda _: source_id, updated=lambda _: original.source_updated_at, context=context
    )
    account = original.account_ref or f"{stream.integration}/account/{original.user_id}"
    return Mutant(original.stage, str(key), value, original.user_id, account, record)


def _sibling(original: Staged, n: int) -> tuple[str, dict[str, Any]]:
    """The record under an id of its own: its id wherever it stands at the top of it, and in its source id."""
    payload = copy.deepcopy(dict(original.payload))
    own = original.source_id.rpartition(":")[2]
    new: Any = str(900_000 + n) if own.isdecimal() else f"{own}-mutant-{n}"
    source_id = original.source_id.removesuffix(own) + new
    for at in (payload, payload.get("agent")):
        if isinstance(at, dict):
            for key, value in at.items():
                if isinstance(value, int | str) and not isinstance(value, bool) and str(value) == own:
                    at[key] = int(new) if isinstance(value, int) else new
    return source_id, payload


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a document, except in what we add to it ourselves and its own id."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        if key not in ("_v2", "id", "_id", "saleGuid", "listingGuid", "userGuid"):
            yield value, key
            yield from _places(inner)


def _names(model: Any) -> set[Any]:
    return set(model.model_fields)


def store_mutants(database: Database, made: Sequence[Mutant]) -> None:
    """Stores those of one account as one page of its client."""
    pages: dict[tuple[str, str, int], list[Record]] = {}
    for mutant in made:
        pages.setdefault((mutant.stage, mutant.account_ref, mutant.user_id), []).append(mutant.record)

    async def all_of_them() -> None:
        async with database.aconnect(autocommit=True) as connection:
            for (stage, account_ref, user_id), records in pages.items():
                stream = STREAM_OF[stage]
                key = StreamKey(
                    integration=stream.integration, entity=stream.entity, account_ref=account_ref, user_id=user_id
                )
                async with connection.transaction():
                    await store_page(connection, stage, key, Page(tuple(records), None, NOON), "run", None)

    asyncio.run(all_of_them())


@dataclass(frozen=True)
class Outcome:
    """What became of the case's own records and rows, and of the mutants."""

    own: dict[tuple[str, str, int], str]
    rows: dict[str, dict[Any, Any]]
    mutated: dict[tuple[str, str], dict[str, Any]]
    parked: list[Any]


def run(database: Database, case: dict[str, Any], stage: str, made: Sequence[Mutant]) -> Outcome:
    """Stages the case with these mutants among its records and merges everything twice."""
    with database.connect() as connection:
        users = enter_users(connection, case["users"])
    records = [Staged.parse(row) for row in case["staged"]]
    # The mutants come first: whatever they break, the others come after it.
    store_mutants(database, made)
    store(database, records)
    work = None if case.get("all") else work_of({*(row.stage for row in records), stage})
    for _ in range(2):
        merge_everything(database, users, work)
    own: dict[tuple[str, str, int], str] = {}
    mutated: dict[tuple[str, str], dict[str, Any]] = {}
    ids = {(m.stage, m.record.source_id) for m in made}
    with database.connect() as connection, connection.cursor(row_factory=dict_row) as cur:
        for each in sorted({row.stage for row in records} | {stage}):
            cur.execute(sql.SQL("select * from {}").format(sql.Identifier("staging", each)))
            for row in cur.fetchall():
                if (each, row["source_id"]) in ids:
                    mutated[each, row["source_id"]] = row
                else:
                    own[each, row["source_id"], row["user_id"]] = row["status"]
        primary = STREAM_OF[stage].primary
        v2 = V2(connection)
        rows = {primary: {repr(_key(v2, primary, row)): row for row in v2.rows(primary)}}
        parked = cur.execute("select work, owner_id, reason from ops.parked_key").fetchall()
    return Outcome(own, rows, mutated, parked)


def _key(v2: V2, table: str, row: dict[str, Any]) -> list[Any]:
    return [row[name] for name in metadata.tables[f"v2.{table}"].info["natural_key"]]
