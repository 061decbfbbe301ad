"""`python -m v2_assets.monitor`: watches the platform from outside Dagster, on loopback, until SIGTERM.

Every few seconds it looks whether the daemon gives signs of life, makes an incident of its silence, and then sends what
waits: the sensor that usually does so is silent too. A database that is away is answered with 503 and survived.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from dataclasses import dataclass, field

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from resources import logs
from resources.errors import ConfigError, V2Error
from resources.postgres import Database
from resources.settings import Settings, load_settings
from v2_assets.alerting.deliver import deliver
from v2_assets.incidents import settle
from v2_assets.monitor.liveness import beats, dead
from v2_assets.monitor.metrics import Pages

HOST = "127.0.0.1"
LOOK_EVERY_S = 15.0
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Monitor:
    """What was seen last, and the loop that sees it."""

    settings: Settings
    database: Database
    dagster: Database
    state: dict[str, object] = field(default_factory=lambda: {"ok": False, "why": "has not looked yet"})
    ending: threading.Event = field(default_factory=threading.Event)

    def look(self) -> None:
        """One look. Whatever is away is a state and not an end."""
        try:
            with self.dagster.connect() as connection:
                found = dead(beats(connection))
            with self.database.connect(autocommit=True) as connection:
                settle(connection, "daemon_dead", found)
            if found:
                deliver(self.database, self.settings)
            silent = [name for finding in found.values() for name in finding.body["silent"]]
            self.state = {"ok": not silent, "why": f"silent: {', '.join(silent)}" if silent else ""}
        except Exception as error:  # whatever it is, the next look may succeed, and who asks is told until then
            why = error.code if isinstance(error, V2Error) else type(error).__name__
            log.warning("nothing could be seen: %s", why)
            self.state = {"ok": False, "why": why}

    def run(self) -> None:
        """Looks until it is told to end."""
        while not self.ending.is_set():
            self.look()
            self.ending.wait(LOOK_EVERY_S)

    def app(self) -> Starlette:
        """The pages: /health answers 200, or 503 while something is wrong."""

        def health(request: Request) -> Response:
            return JSONResponse(self.state, 200 if self.state["ok"] else 503)

        return Starlette(routes=[Route("/health", health), *Pages(self.database).routes()])


def main() -> None:
    """Serves until SIGTERM. Raises ConfigError when it is not told the databases."""
    settings = load_settings()
    dagster = os.environ.get("V2_DAGSTER_PG_URL", "").replace("postgresql+psycopg2://", "postgresql://")
    if settings.database_url is None or not dagster:
        raise ConfigError(
            "the monitor does not know its databases",
            hint="start it with `v2 up`, or set V2_DATABASE_URL and V2_DAGSTER_PG_URL",
        )
    url = settings.database_url.get_secret_value()
    monitor = Monitor(
        settings,
        Database(url, application_name="v2 monitor", connect_deadline_s=3),
        Database(dagster, application_name="v2 monitor", connect_deadline_s=3),
    )
    thread = threading.Thread(target=monitor.run, daemon=True)
    thread.start()
    uvicorn.run(
        monitor.app(), host=HOST, port=settings.monitor_port, log_level="warning", log_config=None, access_log=False
    )
    monitor.ending.set()


if __name__ == "__main__":
    try:
        logs.start(load_settings().log_format)
        main()
    except V2Error as error:
        sys.exit(f"error [{error.code}]: {error.message}" + (f"\n  → {error.hint}" if error.hint else ""))
