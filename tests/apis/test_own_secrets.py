"""A source that repeats what it was sent: no error of any client holds a key, whatever was asked and whatever came."""

from __future__ import annotations

import json
import traceback
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from typing import Any

import pytest

from resources.apis import ENTITIES, open_client
from resources.http.redact import HIDDEN
from resources.reading import ReadRequest, SourceClient
from resources.settings import Settings, load_settings
from tests.http.loopback import Asked, Handler, OpenBudget, Reply, json_reply, loopback

#: Every secret that some client sends; each is met by this mark.
MARK = "PLANTED"
KEYS: dict[str, tuple[str, str | None]] = {
    "fub": (f"fka_{MARK}0123456789", None),
    "rezen": (f"real_{MARK}0123456789", None),
    "xano": (f"eyJhbGciOi.{MARK}/+abc.SIG", None),
    "skyslope": (f"{MARK}-access-key", f'{MARK}"access\\secret'),
    "title": (f"{MARK}-user", f"{MARK}:pass word"),
}
SESSION = f"session-{MARK}-7"


def _settings(url: str) -> Settings:
    names = ("fub_base_url", "rezen_base_url", "xano_base_url", "skyslope_base_url")
    return load_settings(
        **dict.fromkeys(names, url),
        title_base_url=f"{url}/graphql",
        fub_system_key=f"{MARK}-system-key",
        skyslope_client_id="client",
        skyslope_client_secret=f"{MARK}-client-secret",
    )


def _echo(status: int, shape: Callable[[str], Any]) -> Handler:
    """Answers with every header and the body that it was sent; a login at SkySlope succeeds unless all is refused."""

    def answer(asked: Asked) -> Reply:
        if "login" in asked.path and status != 401:
            return json_reply({"Session": SESSION})
        sent = " ".join([*asked.headers.values(), *asked.query.values(), asked.body.decode()])
        return json_reply(shape(f"Refused: {sent} of nobody. {sent}"), status)

    return answer


REFUSALS = (400, 401, 403, 422, 500)
SHAPES: dict[str, Callable[[str], Any]] = {
    "message": lambda said: {"message": said, "errorMessage": said, "error": said, "Message": said},
    "errors": lambda said: {"errors": [{"message": said, "extensions": {"code": said}}], "data": None},
    "nested": lambda said: {"value": {"error": said}, "data": {"orders": said}, "items": said, "id": said},
    "list": lambda said: [said],
    "deep": lambda said: json.loads('{"a":' * 400 + json.dumps(said) + "}" * 400),
}


@pytest.mark.parametrize(("status", "shapes"), [(200, SHAPES), *((n, ("message", "errors", "deep")) for n in REFUSALS)])
@pytest.mark.parametrize("platform", KEYS)
async def test_no_error_of_a_client_holds_what_the_source_repeats(
    platform: str, status: int, shapes: Iterable[str]
) -> None:
    told: list[str] = []
    for shape in shapes:
        async with loopback(_echo(status, SHAPES[shape])) as server:
            told += await _errors(platform, _settings(server.url))
            assert server.asked, "nothing was asked"
    assert not [text for text in told if MARK in text]
    assert status != 400 or any("Refused: " in text and HIDDEN in text for text in told), "its words were not told"


async def _errors(platform: str, settings: Settings) -> list[str]:
    """Every error of a client whose every question is answered by the echo, as text."""
    key, secret = KEYS[platform]
    told: list[str] = []
    client = open_client(
        platform, api_key=key, api_secret=secret, account_id="1", settings=settings, budget=OpenBudget()
    )
    async with client:
        for ask in _questions(client, platform):
            try:
                await ask()
            except Exception as error:
                told.append("".join(traceback.format_exception(error)))
                told.append(json.dumps(getattr(error, "as_dict", dict)(), default=str))
    return told


def _questions(client: SourceClient, platform: str) -> list[Callable[[], Awaitable[Any]]]:
    request = ReadRequest(keys=("1",), priority="incremental")
    asks: list[Callable[[], Awaitable[Any]]] = [client.identity]
    for entity in ENTITIES[platform]:
        asks += [
            lambda entity=entity: _first(client.read(entity, request)),
            lambda entity=entity: client.plan(entity, request),
            lambda entity=entity: client.count(entity),
        ]
    return asks


async def _first(pages: AsyncIterable[Any] | AsyncIterator[Any]) -> Any:
    async for page in pages:
        return page
    return None
