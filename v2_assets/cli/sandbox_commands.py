"""`v2 sandbox …`: the stand-ins' own door."""

from __future__ import annotations

import json
from typing import Annotated, Any

import httpx
import typer

from resources.errors import SourceUnavailable, V2Error
from resources.settings import load_settings
from v2_assets.cli.output import current

sandbox = typer.Typer(help="The made-up systems: start them, move their world on, break them.", no_args_is_help=True)


class SandboxRefused(V2Error):
    """The sandbox does not know what was asked of it."""

    code = "sandbox_refused"


def _call(method: str, path: str, **more: Any) -> Any:
    from v2_assets.platform import Platform

    process = next(each for each in Platform(load_settings()).status() if each.name == "sandbox")
    if process.address is None:
        raise SourceUnavailable("the sandbox does not run", hint="start it with `v2 up --sandbox`")
    try:
        answer = httpx.request(method, f"http://{process.address}/_world/{path}", timeout=60, trust_env=False, **more)
    except httpx.HTTPError as error:
        raise SourceUnavailable(
            f"the sandbox does not answer ({type(error).__name__})", hint=f"look into {process.log}"
        ) from None
    body = answer.json()
    if answer.status_code != 200:
        raise SandboxRefused(str(body.get("error", answer.status_code)), hint="see `v2 sandbox fault --help`")
    return body


def _show(data: Any) -> None:
    current().done(data, lambda c: c.print_json(json.dumps(data)))


@sandbox.command()
def up() -> None:
    """Start everything, with the sandbox."""
    from v2_assets.cli.platform_commands import up as start

    start(sandbox=True)


@sandbox.command()
def step() -> None:
    """Let the world move on; prints what happened."""
    _show(_call("POST", "step"))


@sandbox.command()
def credentials() -> None:
    """The made-up users and their keys."""
    _show(_call("GET", "credentials"))


@sandbox.command()
def fault(
    name: Annotated[str, typer.Argument(help="the fault, e.g. storm_429, html_200, revoked_key; `none` ends all")],
    path: Annotated[str, typer.Option(help="regular expression over the request's path")] = ".*",
    key: Annotated[str | None, typer.Option(help="only requests with this key")] = None,
    times: Annotated[int | None, typer.Option(help="how many requests; without it until it is ended")] = None,
    more: Annotated[list[str] | None, typer.Option("--set", help="the fault's own parameters, name=value")] = None,
) -> None:
    """Break the systems in a named way."""
    if name == "none":
        _show(_call("DELETE", "fault"))
        return
    body: dict[str, Any] = {"name": name, "path": path}
    body |= {k: v for k, v in (("key", key), ("times", times)) if v is not None}
    for pair in more or []:
        parameter, _, value = pair.partition("=")
        body[parameter] = value
    _show(_call("POST", "fault", json=body))


def register(app: typer.Typer) -> None:
    """Adds the group."""
    app.add_typer(sandbox, name="sandbox")
