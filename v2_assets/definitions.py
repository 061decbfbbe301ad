"""Contents: everything Dagster serves. Nothing is defined here."""

from __future__ import annotations

import dagster as dg

from sensors.alerts import alerts_sensor
from sensors.backlog import backlog_sensor
from sensors.gate import gate_sensor
from sensors.measuring import measuring_sensor
from sensors.monitor_watch import monitor_watch_sensor
from sensors.onboarding import onboarding_sensor
from sensors.onboarding_progress import onboarding_progress_sensor
from sensors.partitions import partitions_sensor
from sensors.sweeps import SCHEDULES
from sensors.webhook_audit import WEBHOOK_SENSORS
from v2_assets.aggregates.assets import AGGREGATES
from v2_assets.checks.assets import CHECKS, checks_schedule, standing_checks
from v2_assets.compare.assets import COMPARISON, compare_job, compare_schedule
from v2_assets.crm.assets import CRM
from v2_assets.deals.assets import DEALS
from v2_assets.executor import users_executor
from v2_assets.gate.assets import GATE, gate_job
from v2_assets.health.assets import HEALTH, health_report_job, health_report_schedule
from v2_assets.identity.assets import IDENTITY
from v2_assets.jobs import JOBS
from v2_assets.money.assets import MONEY
from v2_assets.network.assets import NETWORK
from v2_assets.people.assets import PEOPLE
from v2_assets.platform_resource import PlatformResource
from v2_assets.reference.assets import REFERENCE
from v2_assets.retention.assets import RETENTION, retention_job, retention_schedule
from v2_assets.staging.assets import SOURCES, STAGING
from v2_assets.title.assets import TITLE


def build_defs(**resources: object) -> dg.Definitions:
    """All definitions; tests pass their own `platform` resource."""
    return dg.Definitions(
        assets=[
            *SOURCES,
            *STAGING,
            *REFERENCE,
            *IDENTITY,
            *PEOPLE,
            *DEALS,
            *CRM,
            *NETWORK,
            *MONEY,
            *TITLE,
            *AGGREGATES,
            *HEALTH,
            *RETENTION,
            *COMPARISON,
            *GATE,
        ],
        asset_checks=CHECKS,
        jobs=[*JOBS, standing_checks, health_report_job, retention_job, compare_job, gate_job],
        schedules=[*SCHEDULES, checks_schedule, health_report_schedule, retention_schedule, compare_schedule],
        sensors=[
            onboarding_sensor,
            onboarding_progress_sensor,
            partitions_sensor,
            backlog_sensor,
            measuring_sensor,
            alerts_sensor,
            gate_sensor,
            monitor_watch_sensor,
            *WEBHOOK_SENSORS,
        ],
        # No step hands a value to another, and a manager with a folder would be launch configuration (`{"env": …}`).
        resources={"platform": PlatformResource(), "io_manager": dg.InMemoryIOManager(), **resources},
        executor=users_executor,
    )


defs = build_defs()
