"""The external systems, one package each, behind one door: `open_client`."""

from __future__ import annotations

from typing import Any

from pydantic import SecretStr

from resources.apis import fub, rezen, skyslope, title, xano
from resources.apis.records import SourceModel, judged
from resources.errors import ConfigError
from resources.http.budget import Budget
from resources.reading import Problem, SourceClient
from resources.settings import Settings

ENTITIES: dict[str, tuple[str, ...]] = {
    "fub": fub.ENTITIES,
    "rezen": rezen.ENTITIES,
    "skyslope": skyslope.ENTITIES,
    "title": title.ENTITIES,
    "xano": xano.ENTITIES,
}
MODELS: dict[str, dict[str, type[SourceModel]]] = {
    "fub": fub.MODELS,
    "rezen": rezen.MODELS,
    "skyslope": skyslope.MODELS,
    "title": title.MODELS,
    "xano": xano.MODELS,
}


def open_client(
    platform: str,
    *,
    api_key: str,
    api_secret: str | None = None,
    account_id: str | None,
    settings: Settings,
    budget: Budget,
) -> SourceClient:
    """A client for one connection. Use it as an async context manager. Raises ConfigError for an unknown platform."""
    if platform == "fub":
        return fub.FubClient(
            api_key=SecretStr(api_key),
            account_id=account_id,
            base_url=settings.fub_base_url,
            system=settings.fub_system,
            system_key=settings.fub_system_key,
            budget=budget,
            limit_per_system=settings.fub_limit_per_system,
        )
    if platform == "rezen":
        return rezen.RezenClient(
            api_key=SecretStr(api_key),
            agent_id=account_id,
            base_url_template=settings.rezen_base_url,
            budget=budget,
            limit_per_account=settings.rezen_limit_per_account,
            limit_per_system=settings.rezen_limit_per_system,
        )
    if platform == "xano":
        if settings.xano_base_url is None:
            raise ConfigError(
                "the address of V1 is not set",
                hint="write V2_XANO_BASE_URL=https://<instance>/api:meta in the environment or in .env",
            )
        return xano.XanoClient(
            token=SecretStr(api_key),
            workspace_id=account_id,
            base_url=settings.xano_base_url,
            budget=budget,
            limit_calls=settings.xano_limit_calls,
            limit_window_s=settings.xano_limit_window_s,
            workspace_name=settings.xano_workspace,
            least_tables=settings.xano_least_tables,
        )
    if platform == "skyslope":
        if settings.skyslope_client_id is None or settings.skyslope_client_secret is None:
            raise ConfigError(
                "the client id and secret of SkySlope are not set",
                hint="write V2_SKYSLOPE_CLIENT_ID and V2_SKYSLOPE_CLIENT_SECRET in the environment or in .env",
            )
        return skyslope.SkySlopeClient(
            client_id=settings.skyslope_client_id,
            client_secret=settings.skyslope_client_secret,
            access_key=SecretStr(api_key),
            access_secret=SecretStr(api_secret or ""),
            account_id=account_id,
            base_url=settings.skyslope_base_url,
            budget=budget,
            limit_per_client=settings.skyslope_limit_per_client,
        )
    if platform == "title":
        return title.TitleClient(
            user_name=SecretStr(api_key),
            password=SecretStr(api_secret or ""),
            account_id=account_id,
            base_url=settings.title_base_url,
            surface=settings.title_surface,
            budget=budget,
            closed_days=settings.title_closed_days,
            limit_per_account=settings.title_limit_per_account,
        )
    raise ConfigError(
        f"there is no platform {platform!r}",
        hint=f"known platforms: {', '.join(ENTITIES)}",
        context={"given": platform},
    )


def validate(platform: str, entity: str, payload: dict[str, Any]) -> Problem | None:
    """Why a stored payload breaks its model today, or None if it fits: what `v2 retry` asks."""
    return judged(payload, MODELS[platform][entity])[0]
