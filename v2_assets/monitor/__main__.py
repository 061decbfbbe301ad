"""`python -m v2_assets.monitor`: watches the platform from outside Dagster, on loopback, until SIGTERM.

Every few seconds it looks whether the daemon gives signs of life and sensors tick, makes an incident of their silence,
and then sends what waits: the sensor that usually does so is silent too. A database that is away is answered with 503,
told without it, and survived. Beside that the supervisor starts again what ended (see supervisor).
"""

from __future__ import annotations

import logging
import os
import threading
import time
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from resources.alerts import ChannelFailed, Message, configured
from resources.errors import ConfigError, DatabaseError, V2Error
from resources.postgres import Database
from resources.serving import loopback, run
from resources.settings import Settings, load_settings
from v2_assets.alerting.codes import CODES, runbook
from v2_assets.alerting.deliver import deliver
from v2_assets.incidents import settle
from v2_assets.monitor.liveness import Pulse, beats, dead, last_tick, stopped
from v2_assets.monitor.metrics import Pages
from v2_assets.monitor.supervisor import FROZEN_AFTER_S, Supervisor

LOOK_EVERY_S = 15.0
#: A server that restarts is back sooner.
AWAY_AFTER_S = 60.0
#: What is just being started, or was kept from its database, ticks by then.
SETTLED_AFTER_S = 120.0
_DIED = "select 1 from ops.incident where code = 'process_died' and recovered_at is null limit 1"
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Monitor:
    """What was seen last, and the loop that sees it."""

    settings: Settings
    database: Database
    dagster: Database
    state: dict[str, object] = field(default_factory=lambda: {"ok": False, "why": "has not looked yet"})
    ending: threading.Event = field(default_factory=threading.Event)
    #: Since when both databases can be read.
    seeing_since: float | None = None
    away_since: float | None = None
    away_told: bool = False

    def look(self) -> None:
        """One look. Whatever is away is a state and not an end."""
        try:
            with self.dagster.connect() as connection:
                silent = dead(beats(connection), self.settings.start_command)
                halted = stopped(last_tick(connection))
            with self.database.connect(autocommit=True) as connection:
                settled = self._sees_for_a_while()
                # One cause, one incident: without a daemon or a code server no sensor ticks.
                if silent or not settled or connection.execute(_DIED).fetchone():
                    halted = {}
                # Of what is just being started, or was restored, the last sign of life is an old one or there is none.
                if settled:
                    settle(connection, "daemon_dead", silent)
                    settle(connection, "ticks_stopped", halted)
            if settled and (silent or halted):
                deliver(self.database, self.settings)
            names = [name for finding in (silent | halted).values() for name in finding.body["silent"]]
            self.state = {"ok": not names, "why": f"silent: {', '.join(names)}" if names else ""}
            self._database_is(away=False)
        except Exception as error:  # whatever it is, the next look may succeed, and who asks is told until then
            why = error.code if isinstance(error, V2Error) else type(error).__name__
            log.warning("nothing could be seen: %s", why)
            self.state, self.seeing_since = {"ok": False, "why": why}, None
            if isinstance(error, DatabaseError):
                self._database_is(away=True)

    def _sees_for_a_while(self) -> bool:
        self.seeing_since = self.seeing_since or time.monotonic()
        return time.monotonic() - self.seeing_since >= SETTLED_AFTER_S

    def _database_is(self, *, away: bool) -> None:
        """Tells of a database that stays away, and of its return. No incident can be kept without it, so this is."""
        if not away:
            self.away_since = None
        elif self.away_since is None:
            self.away_since = time.monotonic()
        if away != self.away_told and (not away or time.monotonic() - (self.away_since or 0) >= AWAY_AFTER_S):
            self.away_told = away
            _send_without_database(self.settings, "opened" if away else "recovered")

    def run(self) -> None:
        """Looks until it is told to end."""
        while not self.ending.is_set():
            self.look()
            self.ending.wait(LOOK_EVERY_S)

    def app(self) -> Starlette:
        """The pages: /health answers 200, or 503 while something is wrong."""

        def health(request: Request) -> Response:
            return JSONResponse(self.state, 200 if self.state["ok"] else 503)

        key = self.settings.ui_key.get_secret_value() if self.settings.ui_key else None
        return Starlette(routes=[Route("/health", health), *Pages(self.database, key).routes()])


def _send_without_database(settings: Settings, kind: str) -> None:
    message = Message(
        number=0,
        kind=kind,
        code="database_away",
        severity="critical",
        subject="the database cannot be reached",
        what=CODES["database_away"],
        do="v2 status",
        runbook=f"docs/{runbook('database_away')}",
    )
    channels = {} if settings.alert_dry_run else configured(settings)
    for name in settings.alert_route("critical") or tuple(channels):
        try:
            if name in channels:
                channels[name].send(message)
                return
        except ChannelFailed:
            continue
    log.warning("%s", message.text())


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
    threading.Thread(target=monitor.run, daemon=True).start()
    if settings.supervise:
        supervisor = Supervisor(settings, monitor.database, Pulse(monitor.dagster, FROZEN_AFTER_S))
        threading.Thread(target=supervisor.run, daemon=True).start()
    loopback(monitor.app(), settings.monitor_port).run()
    monitor.ending.set()


if __name__ == "__main__":
    run(main)
