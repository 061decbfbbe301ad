"""The monitor looks after all other processes, and this looks after the monitor. Starts no run."""

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg

from v2_assets.alerting.deliver import deliver
from v2_assets.automation import MONITOR_WATCH_INTERVAL_S
from v2_assets.incidents import Finding, settle
from v2_assets.platform import Platform
from v2_assets.platform_resource import PlatformResource


@dg.sensor(
    name="monitor_watch",
    minimum_interval_seconds=MONITOR_WATCH_INTERVAL_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts the monitor again when it has ended. Starts no run.",
)
def monitor_watch_sensor(
    context: dg.SensorEvaluationContext, platform: PlatformResource
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    settings = platform.settings
    planned = Platform.planned(settings) if settings.supervise else None
    if planned is None:
        yield dg.SkipReason("nobody asked for supervision here")
        return
    with planned.idle() as idle:
        ended = idle and "monitor" in planned.missing()
        with platform.database.connect(autocommit=True) as connection:
            settle(connection, "process_died", {"monitor": _ended()} if ended else {}, within="monitor")
        if ended:
            deliver(platform.database, settings)
            planned.revive("monitor")
    yield dg.SkipReason("the monitor was started again" if ended else "the monitor runs")


def _ended() -> Finding:
    body = {
        "what": "It is being started again.",
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
        "users": [],
        "link": None,
        "do": "v2 status",
    }
    return Finding("warning", "monitor ended by itself", body)
