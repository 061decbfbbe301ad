"""The rules as Dagster's asset checks: one step for each group of tables, run by a schedule and not after each sweep.

A rule looks at a whole table, so it costs the same for one changed row as for all; the sweeps run every few minutes,
the checks twice an hour. A broken rule is also an alert.
"""

from collections.abc import Iterator

import dagster as dg

from v2_assets.automation import CHECKS_CRON, KIND_TAG, LANE
from v2_assets.checks.rules import Rule, Verdict, judge, rules
from v2_assets.checks.watched import watched
from v2_assets.incidents import Finding, Severity, settle
from v2_assets.platform_resource import PlatformResource
from v2_assets.schema import metadata
from v2_assets.schema.stage import STREAMS

#: What a rule of severity WARN finds is often the source's own doing (a circle of sponsors): it is told once, as news.
_HOW_BAD: dict[str, Severity] = {"WARN": "info", "ERROR": "critical"}


def _groups() -> dict[str, list[Rule]]:
    integration = {stream.table: f"staging_{stream.integration}" for stream in STREAMS}
    groups: dict[str, list[Rule]] = {}
    for rule in rules():
        group = integration.get(rule.table) or metadata.tables[f"v2.{rule.table}"].info["domain"]
        groups.setdefault(group, []).append(rule)
    return groups


def _found(rule: Rule, verdict: Verdict) -> dict[str, Finding]:
    """A broken rule as the incident it is."""
    if not verdict.number:
        return {}
    body = {
        "what": f"{verdict.number} rows break it. {rule.meaning}",
        "since": None,
        "users": [],
        "link": f"/assets/{rule.table}?view=checks",
        "do": "v2 reconcile",
        "ids": list(verdict.ids),
    }
    return {f"{rule.table}/{rule.name}": Finding(_HOW_BAD[rule.severity], f"{rule.table}: {rule.name} is broken", body)}


def _checks(group: str, held: list[Rule]) -> dg.AssetChecksDefinition:
    specs = [dg.AssetCheckSpec(rule.name, asset=dg.AssetKey(rule.table), description=rule.meaning) for rule in held]

    @dg.multi_asset_check(name=f"checks_{group}", specs=specs, can_subset=True)
    def checks(context: dg.AssetCheckExecutionContext, platform: PlatformResource) -> Iterator[dg.AssetCheckResult]:
        wanted = context.selected_asset_check_keys
        with platform.database.connect(autocommit=True) as connection:
            for rule, spec in zip(held, specs, strict=True):
                if spec.key not in wanted:
                    continue
                verdict = judge(connection, rule)
                settle(connection, "check_failed", _found(rule, verdict), within=f"{rule.table}/{rule.name}")
                yield dg.AssetCheckResult(
                    asset_key=spec.asset_key,
                    check_name=rule.name,
                    passed=not verdict.number,
                    severity=dg.AssetCheckSeverity(rule.severity),
                    metadata={"rows": verdict.number, "ids": dg.MetadataValue.json(list(verdict.ids))},
                )

    return checks


CHECKS = [*(_checks(group, held) for group, held in _groups().items()), watched]
standing_checks = dg.define_asset_job(
    "standing_checks",
    selection=dg.AssetSelection.checks(*CHECKS),
    tags={KIND_TAG: "checks", **LANE},
    description="Looks whether every table still is as it must be. Reads no source and changes no record.",
)
checks_schedule = dg.ScheduleDefinition(
    name="standing_checks",
    job=standing_checks,
    cron_schedule=CHECKS_CRON,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Looks whether every table still is as it must be, whatever wrote it.",
)
