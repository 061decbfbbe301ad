"""Starting again what `v2 up` started and what ended by itself, and telling of it once.

A daemon that is so frozen that it cannot even begin again by itself (`v2_assets.daemon`) is ended first.
Nothing is done while an `up` or a `down` is at work, nor without their plan: who stops the platform stops this first.
A process that ends again and again is started ever more seldom, and its incident lasts until it has stayed up.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

from resources.errors import V2Error
from resources.postgres import Database
from resources.settings import Settings
from v2_assets.alerting.deliver import deliver
from v2_assets.incidents import Finding, Severity, settle
from v2_assets.monitor.liveness import Pulse
from v2_assets.platform import Name, Platform

LOOK_EVERY_S = 2.0
#: The pause after a start that was followed by an end; twice as long each time, up to the longest.
_PAUSE_S, _LONGEST_PAUSE_S = 2.0, 60.0
#: One that ends again within this was never up, so its incident goes on.
STEADY_AFTER_S = 20.0
#: So many starts in vain are not an accident any more.
_MANY = 3
#: The daemon itself begins again sooner than this, if any of its threads still runs.
FROZEN_AFTER_S = 300.0
#: Begins the key of each incident that is settled here.
WITHIN = "process/"
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Trouble:
    """One process that ended: since when, how often it was started since, and since when it runs again."""

    since: datetime
    tries: int = 0
    not_before: float = 0.0
    up_since: float | None = None
    told: bool = False

    def finding(self, name: str) -> Finding:
        """As people are told of it."""
        many = self.tries > _MANY
        what = f"It was started {self.tries} times since and ended each time." if many else "It is being started again."
        body = {
            "what": what,
            "since": self.since.isoformat(timespec="seconds"),
            "users": [],
            "link": None,
            "do": "v2 status",
        }
        return Finding("critical" if many else "warning", f"{name} ended by itself", body)


@dataclass(slots=True)
class Supervisor:
    """What has ended and is not steady yet, and the loop that looks after it."""

    settings: Settings
    database: Database
    pulse: Pulse
    troubles: dict[Name, Trouble] = field(default_factory=dict)
    ending: threading.Event = field(default_factory=threading.Event)
    _told: dict[str, Severity] | None = None

    def run(self) -> None:
        """Looks until it is told to end. Whatever goes wrong in a look, the next one may succeed."""
        while not self.ending.wait(LOOK_EVERY_S):
            try:
                self.look()
            except Exception as error:
                why = error.code if isinstance(error, V2Error) else type(error).__name__
                log.warning("supervising failed: %s", why)

    def look(self) -> None:
        """One look at the processes of the plan."""
        platform = Platform.planned(self.settings)
        if platform is None:
            return
        with platform.idle() as idle:
            if not idle:
                return
            if self.pulse.silent() and platform.kill("daemon"):
                log.warning("the daemon was frozen and is ended; its runs go on")
            missing = platform.missing()
            for name in missing:
                self._ended(name)
            self._tell()  # before the start, which may take a minute; what cannot be told now is told below
            for name in missing:
                if time.monotonic() >= self.troubles[name].not_before:
                    self._start(platform, name)
        self._calm()
        self._tell()

    def _ended(self, name: Name) -> None:
        trouble = self.troubles.get(name)
        if trouble is None or trouble.up_since is not None:
            log.warning("the %s ended by itself", name)
        if trouble is None:
            trouble = self.troubles[name] = Trouble(datetime.now(UTC))
        if trouble.up_since is not None:  # it had come back, and not for long
            trouble.up_since = None
            trouble.not_before = time.monotonic() + self._pause(trouble)

    def _start(self, platform: Platform, name: Name) -> None:
        trouble = self.troubles[name]
        trouble.tries += 1
        try:
            platform.revive(name)
            self.pulse.start_again()
        except V2Error as error:
            trouble.not_before = time.monotonic() + self._pause(trouble)
            log.warning("the %s could not be started: [%s] %s", name, error.code, error.message)
            return
        trouble.up_since = time.monotonic()
        log.info("the %s was started again", name)

    def _calm(self) -> None:
        now = time.monotonic()
        for name, trouble in list(self.troubles.items()):
            if trouble.told and trouble.up_since is not None and now - trouble.up_since >= STEADY_AFTER_S:
                del self.troubles[name]

    def _tell(self) -> None:
        """Makes incidents of the troubles, and of their ends. A database that is away is told later."""
        found = {WITHIN + name: trouble.finding(name) for name, trouble in self.troubles.items()}
        now: dict[str, Severity] = {key: found[key].severity for key in found}
        if now == self._told:
            return
        try:
            with self.database.connect(autocommit=True, deadline_s=0.5) as connection:
                settle(connection, "process_died", found, within=WITHIN)
            self._told = now
            for trouble in self.troubles.values():
                trouble.told = True
            deliver(self.database, self.settings)
        except V2Error as error:
            log.warning("nobody could be told: [%s]", error.code)

    @staticmethod
    def _pause(trouble: Trouble) -> float:
        return min(_PAUSE_S * 2.0 ** min(trouble.tries, 10), _LONGEST_PAUSE_S)
