"""`v2 demo-gap`: the CRM as the old pipelines left it, why, and how a backfill by user closes it.

V1 has the CRM of nine users whole. V2 has what was read for one of them and a page of another: 87 % are missing, and
nobody was told. Each of the other seven is missing for a reason of its own, of the kind that really happened. The
comparison names it for every row; each cause is put right; the users are read again; the comparison is made again.

Everything is real but the sources: reading, merging, V1 through its API, the comparison, the gate and its page.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox import Sandbox, Scale, World, serve
from v2_assets.cli.demo import Demo, DemoFailed, fresh
from v2_assets.cli.opened import Opened
from v2_assets.cli.sandbox_users import credentials_of, enter_users, raise_limit, sandbox_settings

if TYPE_CHECKING:
    from resources.settings import Settings
    from v2_assets.compare.engine import ComparisonResult
    from v2_assets.schema.stage import Stream

#: Nine users, each the owner of a CRM account of 500 contacts, so that one account and one page are 13 % of all.
SCALE = Scale(
    people=4_500,
    deals=30,
    seats=(1,) * 9,
    other_agents=10,
    calls_per_person=0.5,
    texts_per_person=0,
    events_per_person=0,
)
SEED, CALLS = 7, 100_000
#: The CRM's streams of which V1 had the tables, those that others point to first, and these tables.
ENTITIES = ("accounts", "users", "stages", "people", "calls")
TABLES = ("fub_accounts", "fub_users", "fub_stages", "fub_people", "fub_calls")
SHOWN = "fub_people"
#: What became of each user in the old days.
WHOLE, OFF, ALSO_OFF, NO_KEY, NO_JOB, NULL, ALSO_NULL, OLD_KEY, BROKE_OFF = range(9)
#: Whose reading anybody ever began.
BEGUN = (WHOLE, NULL, ALSO_NULL, OLD_KEY, BROKE_OFF)
#: In the evidence's words → in a sentence's.
_WHY = {
    "switched_off": "the connection is switched off",
    "no_connection": "the user never connected the CRM",
    "never_synced": "connected, and no job ever asked for it",
    "needs_reconnect": "the key was made anew at the source and is refused",
    "not_understood": "the answer was no list of contacts; the old reader took it for an empty one",
}


@dataclass(frozen=True, slots=True)
class Share:
    """One user's contacts: in V1, in V2, missing there; each reason with its rows and what the evidence says."""

    user_id: int
    email: str
    rows_v1: int
    rows_v2: int
    missing: int
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """One comparison of the whole CRM: its number, the contacts, each user's share, the page for the people."""

    comparison: int
    rows_v1: int
    rows_v2: int
    missing: int
    red: int
    reasons: dict[str, int]
    users: tuple[Share, ...]
    page: Path

    @property
    def percent(self) -> float:
        """The share of V1's contacts that V2 lacks, in percent."""
        return 100 * self.missing / self.rows_v1


def run_gap(say: Callable[[str], None], settings: Settings | None = None) -> dict[str, Any]:
    """Plays the story and returns both comparisons. Raises DemoFailed when the gap is not what the story says."""
    from resources.embedded import running_database
    from resources.postgres import Database
    from resources.settings import load_settings
    from v2_assets.schema import migrate

    base = settings or load_settings()
    home = base.home / "demo-gap"
    fresh(home)
    demo = Demo(say, home / "logs")
    demo.tell("starting Postgres, and the stand-ins of Follow Up Boss and V1")
    with serve(World(SEED, SCALE)) as sandbox:
        story = load_settings(home=home, database_url=None, **sandbox_settings(base, sandbox.url))
        with running_database(story) as urls:
            migrate.upgrade(urls.v2)
            before, after = _play(demo, Opened(story, urls, Database(urls.v2)), sandbox)
    demo.mark("all")
    if not (85 <= before.percent <= 89 and not before.red and not after.missing and not after.red):
        raise DemoFailed(
            f"{before.percent:.1f} % were missing, then {after.percent:.1f} %; of {before.red} and {after.red}"
            " differences nothing is known",
            hint=f"see {before.page} and {after.page}",
        )
    told = {"before": before, "after": after}
    return {k: asdict(v) | {"percent": round(v.percent, 1)} for k, v in told.items()} | {"seconds": demo.times}


def _play(demo: Demo, o: Opened, sandbox: Sandbox) -> tuple[Seen, Seen]:
    raise_limit(sandbox.url, CALLS)
    told = [
        {name: user[name] for name in ("email", "name", "fub", "xano") if name in user}
        for user in credentials_of(sandbox.url)
    ]
    users = _as_the_old_pipelines_left_it(demo, o, sandbox, told)
    demo.mark("left")
    demo.tell("V1 is read through its API and compared with V2, row by row")
    _take_v1(o, users[0])
    before = _look(o, users, "before")
    _tell(demo, before)
    demo.mark("explained")
    _put_right(demo, o, sandbox, users, told)
    behind = [share.user_id for share in before.users if share.missing]
    demo.tell(f"these {len(behind)} users are read again: v2 sync --integration fub --full --user …")
    _backfill(o, behind)
    demo.mark("backfilled")
    demo.tell("compared once more")
    after = _look(o, users, "after")
    _tell(demo, after)
    return before, after


def _as_the_old_pipelines_left_it(demo: Demo, o: Opened, sandbox: Sandbox, told: Sequence[dict[str, Any]]) -> list[int]:
    """Enters the users, and reads for those for whom reading ever began. Returns their ids."""
    from v2_assets.crm import units as crm
    from v2_assets.order import work_in_order
    from v2_assets.staging.sync import SyncOptions
    from v2_assets.staging.users import sync_users
    from v2_assets.tables import merge_user
    from v2_assets.users import load_users

    without_key = [user | ({"fub": None} if n == NO_KEY else {}) for n, user in enumerate(told)]
    users = enter_users(o.database, o.settings, [{k: v for k, v in u.items() if v} for u in without_key])
    _verify(o)
    with o.database.connect() as connection:
        connection.execute(
            "update v2.credentials set active = false where platform = 'fub' and user_id = any(%s)",
            [[users[OFF], users[ALSO_OFF]]],
        )
        contexts = load_users(connection, [users[n] for n in BEGUN])
    for number, fault in (
        (NULL, {"name": "null_body", "path": "/people$"}),
        (ALSO_NULL, {"name": "null_body", "path": "/people$"}),
        (OLD_KEY, {"name": "revoked_key"}),
        (BROKE_OFF, {"name": "html_200", "path": "/people$", "skip": 1}),
    ):
        sandbox.faults.add(fault | {"key": told[number]["fub"]["api_key"]})
    demo.tell("V2 is filled as the old pipelines did it: one user whole, one broken off, seven not at all")
    for stream in _streams():
        asyncio.run(sync_users(o.database, o.settings, stream, contexts, "old", SyncOptions()))
    for work in work_in_order([crm]):
        for user in contexts:
            merge_user(o.database, work, user, "old")
    return users


def _put_right(demo: Demo, o: Opened, sandbox: Sandbox, users: Sequence[int], told: Sequence[dict[str, Any]]) -> None:
    """Each cause by its own remedy."""
    demo.tell("the causes are put right: connections switched on, keys entered anew, the reader repaired")
    sandbox.faults.clear(None)
    enter_users(o.database, o.settings, [told[NO_KEY]])
    with o.database.connect() as connection:
        connection.execute("update v2.credentials set active = true where platform = 'fub'")
        connection.execute(
            "update v2.credentials set state = 'new' where platform = 'fub' and user_id = %s", [users[OLD_KEY]]
        )
    _verify(o)


def _verify(o: Opened) -> None:
    """What the sensor does with new keys."""
    from v2_assets.connections.probing import probe

    asyncio.run(probe(o.database, o.settings, ["fub"]))


def _streams() -> list[Stream]:
    from v2_assets.staging.streams import stream

    return [stream("fub", entity) for entity in ENTITIES]


def _backfill(o: Opened, users: Sequence[int]) -> None:
    from v2_assets.cli.runs import run_assets

    run_assets(o, _streams(), users, full=True, accept_shrink=False)


def _take_v1(o: Opened, user: int) -> None:
    from v2_assets.compare.snapshot import take
    from v2_assets.compare.source import v1_tables_for
    from v2_assets.imports.v1 import through_api

    async def run() -> None:
        async with through_api(o.database, o.settings, user)() as source:
            await take(o.database, source, v1_tables_for(TABLES), "Xano")

    asyncio.run(run())


def _look(o: Opened, users: Sequence[int], name: str) -> Seen:
    """Compares the CRM, then each user's contacts for the reasons of each, and draws the page."""
    from v2_assets.compare.engine import compare

    result = compare(o.database, tables=TABLES)
    page = _drawn(o, name)
    people = _contacts(result)
    return Seen(
        comparison=result.id,
        rows_v1=people.rows_v1 or 0,
        rows_v2=people.rows_v2 or 0,
        missing=people.missing,
        red=sum(each.red for each in result.tables),
        reasons=people.reasons,
        users=tuple(_share(o, user) for user in users),
        page=page,
    )


def _share(o: Opened, user: int) -> Share:
    from v2_assets.compare.engine import Scope, compare

    result = compare(o.database, tables=[SHOWN], scope=Scope(users=(user,)))
    with o.database.connect() as connection:
        [email] = connection.execute('select email from v2."user" where id = %s', [user]).fetchall()[0]
        rows = connection.execute(
            "select distinct reason, evidence ->> 'why', evidence ->> 'records' from ops.comparison_diff"
            " where run_id = %s and kind = 'missing' order by 1, 2",
            [result.id],
        ).fetchall()
    people = _contacts(result)
    return Share(user, email, people.rows_v1 or 0, people.rows_v2 or 0, people.missing, tuple(_said(*r) for r in rows))


def _said(reason: str, why: str | None, records: str | None) -> str:
    text = f"{reason}: {_WHY.get(why or '', why)}" if why else reason
    return f"{text} (broke off behind {records} records)" if records and records != "0" else text


def _contacts(result: ComparisonResult) -> Any:
    return next(each for each in result.tables if each.table == SHOWN)


def _drawn(o: Opened, name: str) -> Path:
    from v2_assets.gate.look import look
    from v2_assets.gate.page import draw
    from v2_assets.gate.story import story

    file = o.settings.home / f"{name}.html"
    with o.database.connect(autocommit=True) as connection:
        file.write_text(draw(story(connection, look(connection, o.settings))), encoding="utf-8")
    return file


def _tell(demo: Demo, seen: Seen) -> None:
    demo.tell(f"{SHOWN}: {seen.rows_v1:,} in V1, {seen.rows_v2:,} in V2; {seen.percent:.1f} % are missing")
