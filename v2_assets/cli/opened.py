"""What every command that needs the database goes through: settings, server, schema."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from resources.embedded import DatabaseUrls, EmbeddedPostgres, running_database
from resources.errors import V2Error
from resources.postgres import Database
from resources.settings import ENV_FILE, Settings, load_settings, project_root


@dataclass(frozen=True, slots=True)
class Opened:
    """The settings and databases of this call."""

    settings: Settings
    urls: DatabaseUrls
    database: Database


def configured(settings: Settings) -> bool:
    """Whether somebody has said which systems or database are meant; then the sandbox is only used when asked for."""
    named = {"database_url", "fub_base_url", "rezen_base_url", "fub_system_key"} & settings.model_fields_set
    return bool(named) or (project_root() / ENV_FILE).exists()


def settings_in_force() -> Settings:
    """The settings; while `v2 up` runs with the sandbox, its addresses are part of them."""
    from v2_assets.cli.sandbox_users import sandbox_settings
    from v2_assets.platform import Platform

    settings = load_settings()
    if (settings.home / "sandbox.json").exists() and not configured(settings):
        port = Platform(settings).sandbox_port
        return load_settings(**sandbox_settings(settings, f"http://127.0.0.1:{port}"))
    return settings


class NoPlatform(V2Error):
    """Nobody has started a platform in this home, so there is nothing to look at."""

    code = "no_platform"


@contextmanager
def opened(*, check_schema: bool = True, create: bool = False) -> Iterator[Opened]:
    """The running database; the embedded server is started for the call if nobody did, and stopped again.

    Only `create` makes a database where there is none. Raises NoPlatform, DatabaseError, ConfigError, and
    MigrationBehind when the schema is not this code's.
    """
    from v2_assets.schema import migrate

    settings = settings_in_force()
    if settings.database_url is None and not create and not EmbeddedPostgres(settings.home).cluster.exists():
        raise NoPlatform(
            f"There is no platform in {settings.home.absolute()}.",
            hint="go to its folder, name its home in V2_HOME, or start one here with `v2 up`",
        )
    with running_database(settings) as urls:
        if check_schema:
            migrate.check(urls.v2)
        yield Opened(settings, urls, Database(urls.v2))
