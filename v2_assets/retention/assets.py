"""Retention as an asset: once a day, with the rows that went as its metadata."""

import os

import dagster as dg

from resources.errors import ConfigError
from resources.postgres import Database
from v2_assets.automation import FRESHNESS, OWNERS, RETENTION_CRON
from v2_assets.platform_resource import PlatformResource
from v2_assets.retention.apply import forget


@dg.asset(
    group_name="operations",
    kinds={"postgres"},
    owners=OWNERS,
    freshness_policy=FRESHNESS["daily"],
    description="Forgets what the platform keeps of its own work after the days that the settings say.",
)
def retention(platform: PlatformResource) -> dg.MaterializeResult:
    told = forget(platform.database, _dagster(), platform.settings, apply=True)
    return dg.MaterializeResult(
        metadata={each.name: each.rows for each in told if each.rows or "stage" not in each.name}
    )


def _dagster() -> Database:
    url = os.environ.get("V2_DAGSTER_PG_URL", "")
    if not url:
        raise ConfigError("this process does not know Dagster's database", hint="start the platform with `v2 up`")
    return Database(url.replace("postgresql+psycopg2://", "postgresql://"))


RETENTION = [retention]
retention_job = dg.define_asset_job(
    "forget",
    selection=dg.AssetSelection.assets(retention),
    description="Deletes what is older than its setting allows. Touches no record that a source still has.",
)
retention_schedule = dg.ScheduleDefinition(
    name="retention",
    job=retention_job,
    cron_schedule=RETENTION_CRON,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Deletes each night what is older than its setting allows.",
)
