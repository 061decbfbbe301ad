"""`python -m v2_assets.api`: the endpoints on loopback until SIGTERM. A reverse proxy with HTTPS stands in front."""

from __future__ import annotations

import logging
import sys

import uvicorn

from resources.errors import ConfigError, V2Error
from resources.postgres import Database
from resources.settings import load_settings
from v2_assets.api.app import Api
from v2_assets.api.shadow.wired import shadowed

HOST = "127.0.0.1"
#: A reader does not wait longer; what takes longer is to be narrowed.
STATEMENT_TIMEOUT_S = 10.0


def server() -> uvicorn.Server:
    """The server of the settings in force. Raises ConfigError when no database is named."""
    settings = load_settings()
    url = settings.api_database_url
    if url is None:
        raise ConfigError(
            "the endpoints do not know their database",
            hint="start them with `v2 up`, or set V2_API_DATABASE_URL to a login that is a member of v2_api",
        )
    database = Database(
        url.get_secret_value(),
        application_name="v2 api",
        connect_deadline_s=2,
        statement_timeout_s=STATEMENT_TIMEOUT_S,
    )
    api = Api(settings, database)
    config = uvicorn.Config(
        shadowed(api, settings) if settings.shadow_v1_url else api.app,
        host=HOST,
        port=settings.api_port,
        log_level="warning",
        access_log=False,
        backlog=2048,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=10,
        server_header=False,
    )
    return uvicorn.Server(config)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        server().run()
    except V2Error as error:
        sys.exit(f"error [{error.code}]: {error.message}" + (f"\n  → {error.hint}" if error.hint else ""))
