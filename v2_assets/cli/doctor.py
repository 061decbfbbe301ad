"""`v2 doctor`: is everything this needs all right? Every line says ok, warn or fail, and what to do."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any, Literal

import typer
from pydantic import SecretStr

from resources.embedded.cluster import CONNECTIONS
from resources.errors import V2Error
from resources.settings import ENV_FILE, Settings, load_settings, project_root
from v2_assets.cli.opened import Opened, opened, settings_in_force
from v2_assets.cli.output import current, table

#: Dagster's packages pin each other exactly; a mixture does not start.
PINNED = {"dagster": "1.13.27", "dagster-webserver": "1.13.27", "dagster-postgres": "0.29.27"}
#: Beyond this a cursor that trusts the source's clock, and ours, would disagree by more than the overlap's half.
SKEW_S = 120.0
#: What the files that are shipped have where somebody has to write something.
_PLACEHOLDERS = re.compile(r"\bPASSWORD\b|change-?me", re.IGNORECASE)


@dataclass(slots=True)
class Finding:
    """One line of the examination."""

    what: str
    state: Literal["ok", "warn", "fail"]
    found: str
    do: str = ""


class Unwell(V2Error):
    """At least one line failed."""

    code = "unwell"


def doctor(
    offline: Annotated[
        bool,
        typer.Option("--offline", help="only what needs no database and no source: versions, settings, definitions"),
    ] = False,
) -> None:
    """Examine versions, settings, definitions, database, migrations, keys, credentials, sources and clocks."""
    findings = [
        _python(),
        *_packages(),
        _try("settings", lambda: _settings(load_settings() if offline else settings_in_force())),
        definitions(),
    ]
    try:
        if not offline:
            with opened(check_schema=False) as o:
                findings += _database(o)
    except V2Error as error:
        findings.append(Finding("database", "fail", error.message, error.hint or ""))
    rows = [asdict(f) for f in findings]
    shown = table(("", "what", "found", "what to do"), [(f.state, f.what, f.found, f.do) for f in findings])
    if any(f.state == "fail" for f in findings):
        if not current().as_json:
            current().console.print(shown)
        failed = ", ".join(f.what for f in findings if f.state == "fail")
        raise typer.Exit(current().fail(Unwell(f"not all right: {failed}", hint="see the lines marked fail"), rows))
    current().done(rows, lambda c: c.print(shown))


def _try(what: str, look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except V2Error as error:
        return Finding(what, "fail", error.message, error.hint or "")


def _settings(settings: Settings) -> Finding:
    """Whether the key can be used, nothing stands there as in the examples, and the file is its owner's alone."""
    from resources.encryption import open_vault

    if settings.secret_key:
        open_vault(settings)
    left = sorted(name for name in settings.model_fields_set if _PLACEHOLDERS.search(_text(getattr(settings, name))))
    if left:
        names = ", ".join(f"V2_{name.upper()}" for name in left)
        return Finding("settings", "fail", f"as the example has it: {names}", "fill it in")
    file = project_root() / ENV_FILE
    if file.exists() and file.stat().st_mode & 0o077:
        return Finding("settings", "warn", f"others can read {file}", f"chmod 600 {file}")
    return Finding("settings", "ok", str(settings.home))


def _text(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def _python() -> Finding:
    fits = (3, 11) <= sys.version_info[:2] < (3, 14)
    return Finding(
        "python", "ok" if fits else "fail", sys.version.split()[0], "" if fits else "use Python 3.11 to 3.13"
    )


def _packages() -> list[Finding]:
    findings = []
    for name, wanted in PINNED.items():
        try:
            found = version(name)
        except PackageNotFoundError:
            found = "missing"
        fits = found == wanted
        findings.append(
            Finding(
                name, "ok" if fits else "fail", found, "" if fits else f"install {wanted}: make clean, then make up"
            )
        )
    return findings


def definitions() -> Finding:
    """Whether what the code server serves can be loaded here."""
    try:
        from v2_assets.definitions import defs

        assets = defs.get_repository_def().asset_graph.materializable_asset_keys
    except Exception as error:  # whatever it is, the code server would end with it
        why = error.message if isinstance(error, V2Error) else f"{type(error).__name__}: {error}"
        return Finding("definitions", "fail", why[:300], "mend it, or go back a release: docs/howto/upgrade.md")
    return Finding("definitions", "ok", f"{len(assets)} assets")


def _database(o: Opened) -> list[Finding]:
    from v2_assets.schema import migrate

    findings = []
    with o.database.connect() as connection:
        number, now, most = connection.execute(
            "select current_setting('server_version'), clock_timestamp(), current_setting('max_connections')::int"
        ).fetchone() or ("?", None, 0)
        findings.append(Finding("database", "ok", f"PostgreSQL {number} at {o.database.location}"))
        skew = abs((datetime.now(UTC) - now).total_seconds()) if now else 0.0
        findings.append(_skew("database's clock", skew))
        findings.append(connections(most))
    pending = migrate.pending(o.urls.v2)
    findings.append(
        Finding(
            "migrations",
            "fail" if pending else "ok",
            ", ".join(pending) or "current",
            "run `v2 migrate`" if pending else "",
        )
    )
    if not pending:
        findings += asyncio.run(_credentials(o))
    return findings


async def _credentials(o: Opened) -> list[Finding]:
    """Whether the stored keys can be read here, and whether their sources take them."""
    from resources.encryption import open_vault
    from resources.http.budget import PostgresBudget
    from v2_assets.clients import client_of
    from v2_assets.users import CONNECTION_COLUMNS, connections_of

    findings: list[Finding] = []
    vault = open_vault(o.settings)
    with o.database.connect() as connection:
        rows = connection.execute(
            f"select {CONNECTION_COLUMNS} from v2.credentials"  # noqa: S608 - constants
            " where active and deleted_at is null order by platform, user_id"
        ).fetchall()
    if not rows:
        return [Finding("credentials", "warn", "none entered", "`v2 onboard --user … --platform …`")]
    async with o.database.async_pool(2, 2) as pool:
        for each in connections_of(rows):
            what = f"{each.platform} of user {each.user_id}"
            try:
                client = client_of(each, o.settings, vault, PostgresBudget(pool))
                began = time.monotonic()
                async with client:
                    await client.identity()
                took = time.monotonic() - began
            except V2Error as error:
                findings.append(Finding(what, "fail", error.message, error.hint or ""))
                continue
            doing = (
                "" if each.state in ("ok", "new") else "the key works again: `v2 onboard` with it brings the user back"
            )
            findings.append(Finding(what, "warn" if doing else "ok", f"{each.state}; answered in {took:.2f} s", doing))
    return findings + await _source_clocks(o)


async def _source_clocks(o: Opened) -> list[Finding]:
    """Each source's Date header against our clock; a refusal has one too."""
    import httpx

    from resources.http.client import source_time

    findings = []
    for name, url in (
        ("Follow Up Boss", f"{o.settings.fub_base_url}/identity"),
        ("reZEN", o.settings.rezen_base_url.format(service="yenta") + "/users/me"),
    ):
        try:
            async with httpx.AsyncClient(timeout=15) as http:
                answer = await http.get(url)
        except httpx.HTTPError as error:
            findings.append(
                Finding(
                    f"{name}'s address",
                    "fail",
                    f"not reached ({type(error).__name__})",
                    "check the network and the base URL",
                )
            )
            continue
        findings.append(
            _skew(f"{name}'s clock", abs((datetime.now(UTC) - source_time(answer.headers)).total_seconds()))
        )
    return findings


def connections(most: int) -> Finding:
    """Whether the server allows as many connections as the platform may need at once."""
    enough = most >= CONNECTIONS
    advice = f"set max_connections to {CONNECTIONS}: runs fail when all are taken"
    return Finding("connections", "ok" if enough else "warn", f"{most} at most", "" if enough else advice)


def _skew(what: str, seconds: float) -> Finding:
    late = seconds > SKEW_S
    return Finding(what, "warn" if late else "ok", f"{seconds:.0f} s apart", "set this machine's clock" if late else "")


def register(app: Any) -> None:
    """Adds the command."""
    app.command()(doctor)
