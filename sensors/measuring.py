"""Measurements are taken by the clock and kept, so that the report can show how things went. Starts no run."""

from collections.abc import Iterator

import dagster as dg

from v2_assets.automation import MEASURING_INTERVAL_S
from v2_assets.health.measures import keep, take
from v2_assets.platform_resource import PlatformResource


@dg.sensor(
    name="measuring",
    minimum_interval_seconds=MEASURING_INTERVAL_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Takes the platform's measurements and keeps them for the health report.",
)
def measuring_sensor(
    context: dg.SensorEvaluationContext, platform: PlatformResource
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    with platform.database.connect(autocommit=True) as connection:
        samples = take(connection)
        keep(connection, samples)
    yield dg.SkipReason(f"{len(samples)} measurements are kept; measuring starts no run")
