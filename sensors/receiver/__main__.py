"""`python -m sensors.receiver`: the receiver on loopback until SIGTERM. A reverse proxy with HTTPS stands in front."""

from __future__ import annotations

import sys

import uvicorn

from resources import logs
from resources.errors import ConfigError, V2Error
from resources.postgres import Database
from resources.settings import load_settings
from sensors.receiver.app import Receiver

HOST = "127.0.0.1"


def server() -> uvicorn.Server:
    """The server of the settings in force. Raises ConfigError when no database is named."""
    settings = load_settings()
    url = settings.receiver_database_url
    if url is None:
        raise ConfigError(
            "the receiver does not know its database",
            hint="start it with `v2 up`, or set V2_RECEIVER_DATABASE_URL to a login that is a member of v2_receiver",
        )
    database = Database(url.get_secret_value(), application_name="v2 receiver", connect_deadline_s=2)
    # The address is the secret of an unsigned webhook, so no line per request is written.
    config = uvicorn.Config(
        Receiver(settings, database),
        host=HOST,
        port=settings.receiver_port,
        log_level="warning",
        log_config=None,
        access_log=False,
        backlog=4096,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=10,
        server_header=False,
    )
    return uvicorn.Server(config)


if __name__ == "__main__":
    try:
        logs.start(load_settings().log_format)
        server().run()
    except V2Error as error:
        sys.exit(f"error [{error.code}]: {error.message}" + (f"\n  → {error.hint}" if error.hint else ""))
