"""Webhooks are registered when a credential was accepted, and looked at again once a day. Starts no run."""

import asyncio
import time
from collections.abc import Iterator

import dagster as dg

from sensors.inbox import inbox_sensor
from v2_assets.automation import WEBHOOK_AUDIT_INTERVAL_S
from v2_assets.platform_resource import PlatformResource
from v2_assets.webhooks.registration import audit, due

#: A tick goes on with the next few while this lasts: many users who come at once are not left waiting for minutes.
LONGEST_S = 40.0


@dg.sensor(
    name="webhook_audit",
    minimum_interval_seconds=WEBHOOK_AUDIT_INTERVAL_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Registers webhooks for new connections, and puts right daily what the source switched off.",
)
def webhook_audit_sensor(
    context: dg.SensorEvaluationContext, platform: PlatformResource
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    settings, database = platform.settings, platform.database
    if settings.receiver_public_url is None:
        yield dg.SkipReason("V2_RECEIVER_PUBLIC_URL is not set: no source can reach the receiver")
        return

    done, deadline = [], time.monotonic() + LONGEST_S
    while time.monotonic() < deadline and (found := asyncio.run(due(database))):
        done += asyncio.run(audit(database, settings, found))
    for each in done:
        context.log.info(
            f"connection {each.credentials_id}: {each.outcome}, {each.active} active, {len(each.created)} created,"
            f" {len(each.enabled)} enabled, {len(each.removed)} removed, {len(each.refused)} refused"
        )
    yield dg.SkipReason(f"{len(done)} connections were audited; auditing starts no run")


WEBHOOK_SENSORS = [inbox_sensor, webhook_audit_sensor]
