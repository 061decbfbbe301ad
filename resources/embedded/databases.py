"""The platform's two databases, `v2` and `dagster`: on the embedded server, or on the one V2_DATABASE_URL names.

Schemas and tables inside them are `v2_assets.schema`'s and Dagster's.
"""

from __future__ import annotations

import secrets
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from urllib.parse import quote, urlsplit, urlunsplit

from psycopg import sql
from pydantic import SecretStr

from resources.embedded.server import EmbeddedPostgres
from resources.errors import DatabaseError
from resources.postgres import Database
from resources.processes import write_whole
from resources.settings import Settings

MINIMUM_VERSION = 15
DAGSTER = "dagster"
#: Connections that the receiver holds: one that writes, one that answers whether the database is there.
RECEIVER_POOL = 2


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """Where the platform's data and Dagster's own records are. `repr` shows neither."""

    v2: str = field(repr=False)
    dagster: str = field(repr=False)


def ensure_databases(settings: Settings) -> DatabaseUrls:
    """Both databases exist and answer when this returns; the embedded server is started if it is the one meant.

    A server started by this stays up. Raises DatabaseError when the server is unreachable, older than PostgreSQL 15,
    or does not let us create a missing database.
    """
    if settings.database_url is None:
        return _prepared(settings, EmbeddedPostgres(settings.home).start())
    return _prepared(settings, settings.database_url.get_secret_value())


@contextmanager
def running_database(settings: Settings) -> Iterator[DatabaseUrls]:
    """`ensure_databases` for the length of a block: the embedded server is stopped again if nobody else needs it.

    SIGTERM inside the block ends the program through it, so that no server is left behind.
    """
    if settings.database_url is not None:
        yield ensure_databases(settings)
        return
    server = EmbeddedPostgres(settings.home)
    with _sigterm_unwinds():
        url = server.hold()
        try:
            yield _prepared(settings, url)
        finally:
            server.release()


def receiver_url(settings: Settings, urls: DatabaseUrls) -> str:
    """The database as the webhook receiver may use it: with the rights of the role v2_receiver and no others."""
    return _url_of_role(settings, urls, "receiver", settings.receiver_database_url, RECEIVER_POOL)


def api_url(settings: Settings, urls: DatabaseUrls) -> str:
    """The database as the read endpoints may use it: with the rights of the role v2_api and no others."""
    return _url_of_role(settings, urls, "api", settings.api_database_url, settings.api_connections)


def connection_limit(pool: int) -> int:
    """Connections that a login facing the outside may have, so that it never takes those that the platform needs.

    Twice what its pool holds: a restart may overlap with what the process before has left.
    """
    return 2 * pool


def _url_of_role(settings: Settings, urls: DatabaseUrls, name: str, set_url: SecretStr | None, pool: int) -> str:
    """A login with the rights of the role `v2_<name>`, which the migrations make.

    On the embedded server it has a login of its own, whose password lies in the home folder. On another server the
    setting names one; without it our own login takes the role on, which it must be a member of.
    """
    if set_url is not None:
        return set_url.get_secret_value()
    parts, role = urlsplit(urls.v2), f"v2_{name}"
    if settings.database_url is not None:
        return urlunsplit(parts._replace(query="&".join(filter(None, [parts.query, f"options=-c%20role%3D{role}"]))))
    file = settings.home / f"{name}.password"
    if not file.exists():
        write_whole(file, secrets.token_urlsafe(32))
    password = file.read_text(encoding="ascii")
    user = f"{role}_login"
    with Database(urls.v2).connect() as conn:
        known = conn.execute("select 1 from pg_roles where rolname = %s", (user,)).fetchone()
        login = sql.Identifier(user)
        conn.execute(
            sql.SQL("{} role {} login password {} connection limit {}").format(
                sql.SQL("alter" if known else "create"),
                login,
                sql.Literal(password),
                sql.Literal(connection_limit(pool)),
            )
        )
        conn.execute(sql.SQL("grant {} to {}").format(sql.Identifier(role), login))
        # The migrations see to the database of the URL; the server's others are nobody else's either.
        others = conn.execute(
            "select datname from pg_database where datname in ('postgres', %s) and datname <> current_database()",
            [DAGSTER],
        ).fetchall()
        for (other,) in others:
            conn.execute(sql.SQL("revoke connect, temporary on database {} from public").format(sql.Identifier(other)))
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{user}:{quote(password, safe='')}@{host}"))


def _prepared(settings: Settings, url: str) -> DatabaseUrls:
    database = Database(url)
    own = settings.dagster_database_url
    urls = DatabaseUrls(v2=url, dagster=own.get_secret_value() if own is not None else _sibling(url, DAGSTER))
    with database.connect(autocommit=True) as conn:
        version = conn.info.server_version // 10_000
        if version < MINIMUM_VERSION:
            raise DatabaseError(
                f"Postgres at {database.location} is version {version}; {MINIMUM_VERSION} is the oldest that serves.",
                hint="upgrade it, or unset V2_DATABASE_URL to use the embedded server",
                retryable=False,
            )
        if own is None:
            known = conn.execute("select 1 from pg_database where datname = %s", (DAGSTER,)).fetchone()
            if known is None:
                may = conn.execute("select rolcreatedb or rolsuper from pg_roles where rolname = current_user")
                if not (may.fetchone() or (False,))[0]:
                    raise DatabaseError(
                        f"There is no database `{DAGSTER}` at {database.location} and this user may not create it.",
                        hint=f'let an administrator "create database {DAGSTER}", or set V2_DAGSTER_DATABASE_URL',
                        retryable=False,
                    )
                conn.execute(sql.SQL("create database {}").format(sql.Identifier(DAGSTER)))
    if own is not None:
        with Database(urls.dagster).connect(autocommit=True):
            pass
    return urls


def _sibling(url: str, name: str) -> str:
    """The same server's database `name`."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"/{name}"))


@contextmanager
def _sigterm_unwinds() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield  # somebody else decides what SIGTERM does here
        return

    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
