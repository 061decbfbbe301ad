"""`python -m v2_assets.daemon -w workspace.yaml`: Dagster's daemon, which begins again when it has fallen silent.

Runs are children of the daemon. When one of its threads dies Dagster ends the process, but a Python process waits for
its children before it ends: hours, as a pid without sensors, schedules or run monitoring. And a thread that hangs ends
nothing at all. So both become a new start of the same process (execve): it keeps its pid and its place under whoever
looks after it, be that `v2 up`, systemd or a container, and the runs go on. People are told. A daemon that cannot even
start ends as usual, so that whoever started it sees that.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import threading
import time
from typing import NoReturn

from dagster import DagsterInstance
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster._daemon.controller import daemon_controller_from_instance
from dagster._utils.interrupts import capture_interrupts, setup_interrupt_handlers

from resources import logs
from resources.errors import V2Error
from resources.postgres import Database
from resources.settings import load_settings
from v2_assets.dagster_storage import database_of
from v2_assets.incidents import Finding, settle
from v2_assets.monitor.liveness import Pulse

#: Each thread gives a sign of life so often, if it is not busy.
BEAT_EVERY_S = 30
#: Later than people are told of it (`liveness.DEAD_AFTER_S`): a daemon under load is late, and a start costs it more.
SILENT_AFTER_S = 180.0
LOOK_EVERY_S = 5.0
#: One that ends sooner never worked. One that has worked for so long after a new start is well.
YOUNG_S = 60.0
#: Begins the key of the incident that a new start is.
_WITHIN = "restarted/"
#: Below the loggers for which Dagster writes.
log = logging.getLogger("dagster.daemon.V2")


def main() -> None:
    """Serves until SIGTERM or SIGINT. Ends with what it failed on when it fails in its first minute."""
    parser = argparse.ArgumentParser(prog="python -m v2_assets.daemon")
    parser.add_argument("-w", "--workspace", required=True)
    workspace = parser.parse_args().workspace
    setup_interrupt_handlers()
    began = time.monotonic()
    with capture_interrupts(), DagsterInstance.get() as instance:
        pulse = Pulse(database_of(instance), SILENT_AFTER_S)
        try:
            with daemon_controller_from_instance(
                instance, WorkspaceFileTarget([workspace]), heartbeat_interval_seconds=BEAT_EVERY_S
            ) as controller:
                logs.start(load_settings().log_format)  # after Dagster has set up its own
                threading.Thread(target=_watch, args=(pulse,), daemon=True).start()
                controller.check_daemon_loop()
        except KeyboardInterrupt:
            return
        except Exception as error:
            if time.monotonic() - began < YOUNG_S:
                raise
            _begin_again(f"{type(error).__name__} ended it: one of its threads died, or its workspace stays away")


def _watch(pulse: Pulse) -> None:
    """Begins the daemon again when it is silent; tells that a new start has helped."""
    well_at = time.monotonic() + YOUNG_S
    while True:
        time.sleep(LOOK_EVERY_S)
        if silent := pulse.silent():
            _begin_again(f"no sign of life from {', '.join(silent)} for {SILENT_AFTER_S:.0f} s")
        if well_at and time.monotonic() > well_at:
            well_at = 0.0 if _tell({}) else well_at


def _begin_again(why: str) -> NoReturn:
    log.error("the daemon begins again: %s", why)
    what = f"{why}. It has begun again, and the runs went on."
    body = {"what": what, "since": None, "users": [], "link": None, "do": "v2 status"}
    _tell({f"{_WITHIN}daemon": Finding("warning", "Dagster's daemon hung and was restarted", body)})
    logging.shutdown()
    os.execv(sys.executable, sys.orig_argv)  # noqa: S606 - our own command line, and no shell is wanted


def _tell(found: dict[str, Finding]) -> bool:
    """False when the database is away: that it is, others tell."""
    try:
        settings = load_settings()
        if settings.database_url is None:
            return True
        url = settings.database_url.get_secret_value()
        with Database(url, application_name="v2 daemon").connect(autocommit=True, deadline_s=3) as connection:
            settle(connection, "process_died", found, within=_WITHIN)
    except V2Error as error:
        log.warning("nobody could be told: [%s]", error.code)
        return False
    return True


if __name__ == "__main__":
    main()
