"""Clients for tests, and what a pass of theirs came to."""

from __future__ import annotations

from collections.abc import AsyncIterable
from typing import Any

from pydantic import SecretStr

from resources.apis.fub import FubClient
from resources.apis.rezen import RezenClient
from resources.apis.title import TitleClient
from resources.reading import Page, Record
from sandbox import Sandbox
from sandbox.facts import facts
from tests.http.loopback import OpenBudget


def fub(url: str, key: str = "fka_test", *, system_key: str | None = "sandbox-system-key") -> FubClient:
    return FubClient(
        api_key=SecretStr(key),
        account_id=None,
        base_url=url,
        system="test",
        system_key=SecretStr(system_key) if system_key else None,
        budget=OpenBudget(),
    )


def rezen(url: str, key: str = "real_test", agent: str | None = None) -> RezenClient:
    return RezenClient(
        api_key=SecretStr(key),
        agent_id=agent,
        base_url_template=url if "{service}" in url else url + "/{service}",
        budget=OpenBudget(),
    )


def title(
    url: str, user_name: str = "api-1", password: str = "pw", *, surface: str = "partner", closed_days: int = 30
) -> TitleClient:
    return TitleClient(
        user_name=SecretStr(user_name),
        password=SecretStr(password),
        account_id="org-1",
        base_url=url,
        surface=surface,
        budget=OpenBudget(),
        closed_days=closed_days,
    )


def true_ids(sandbox: Sandbox, system: str, entity: str, key: str) -> set[str]:
    """What the world says that this key can see."""
    found = facts(sandbox.world, system, entity, key)
    assert found is not None
    return set(found)


async def pages_of(pages: AsyncIterable[Page]) -> list[Page]:
    return [page async for page in pages]


def records_of(pages: list[Page]) -> list[Record]:
    return [record for page in pages for record in page.records]


def ids_of(pages: list[Page]) -> list[str]:
    return [record.source_id for record in records_of(pages)]


def envelope(collection: str, rows: list[Any], *, total: Any = None, token: str | None = None) -> dict[str, Any]:
    """A page as Follow Up Boss wraps it."""
    metadata: dict[str, Any] = {"collection": collection, "limit": 100, "next": token}
    if total is not None:
        metadata["total"] = total
    return {"_metadata": metadata, collection: rows}
