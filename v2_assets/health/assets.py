"""The health report as an asset: drawn once a day, stored, and linked from its page in the UI."""

import dagster as dg

from v2_assets.automation import FRESHNESS, OWNERS, REPORT_CRON
from v2_assets.health.report import draw, keep_report, report_url
from v2_assets.platform_resource import PlatformResource


@dg.asset(
    group_name="operations",
    kinds={"postgres", "html"},
    owners=OWNERS,
    freshness_policy=FRESHNESS["daily"],
    description="The day's health report: backlog, lag, throughput, throttling and rejected records over time.",
)
def health_report(context: dg.AssetExecutionContext, platform: PlatformResource) -> dg.MaterializeResult:
    with platform.database.connect(autocommit=True) as connection:
        html = draw(connection)
        number = keep_report(connection, "health", html)
    url = report_url(platform.settings, number)
    return dg.MaterializeResult(metadata={"report": dg.MetadataValue.url(url), "bytes": len(html)})


HEALTH = [health_report]
health_report_job = dg.define_asset_job(
    "draw_health_report",
    selection=dg.AssetSelection.assets(health_report),
    description="Draws the health report and keeps it. Reads no source and changes no record.",
)
health_report_schedule = dg.ScheduleDefinition(
    name="health_report",
    job=health_report_job,
    cron_schedule=REPORT_CRON,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Draws the day's health report.",
)
