"""What the platform watches, as asset checks: the same findings as in `v2 health` and in alerts, beside the tables.

A finding about one staging table or stream is a check of that staging asset; everything else that is watched is a check
of the asset `health_report`. Nothing is measured here: `sensors.alerts.everything` looks, and this shows what it found.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from resources.postgres import Database
from resources.settings import Settings
from sensors.alerts import WATCHED, everything
from v2_assets.alerting.codes import CODES
from v2_assets.health.behind import SWEPT, Behind, behind
from v2_assets.health.signals import PLATFORM, SIGNALS, Signal, look
from v2_assets.incidents import Finding
from v2_assets.platform_resource import PlatformResource
from v2_assets.schema.stage import STREAMS
from v2_assets.staging.streams import READINGS, stream

#: An incident of `stream_old` is one cause for many streams; who is behind with a table is known by itself.
_PER_TABLE = {signal.code: signal for signal in SIGNALS if signal.per != "platform" or signal.code == "stream_old"}
#: Rows of the table of users who are behind.
_ROWS = 200
#: Causes that a check's text spells out.
_SHOWN = 10


def _concerns(signal: Signal) -> list[str]:
    """The staging tables that a signal can be about."""
    if signal.code == "stream_old":
        return [s.table for s in STREAMS if s.integration in SWEPT]
    if signal.code == "row_gap":
        return [s.table for s in STREAMS if READINGS[s.integration, s.entity].sweeps]
    return [s.table for s in STREAMS]


SPECS = [
    *(
        dg.AssetCheckSpec(c, asset=t, description=CODES[c])
        for c, signal in _PER_TABLE.items()
        for t in _concerns(signal)
    ),
    *(dg.AssetCheckSpec(code, asset=PLATFORM, description=CODES[code]) for code in WATCHED if code not in _PER_TABLE),
]


@dg.multi_asset_check(name="watched", specs=SPECS, can_subset=True)
def watched(context: dg.AssetCheckExecutionContext, platform: PlatformResource) -> Iterator[dg.AssetCheckResult]:
    from v2_assets.definitions import defs  # here, because these checks are among them

    wanted, settings = context.selected_asset_check_keys, platform.settings
    with platform.database.connect(autocommit=True) as connection:
        found = everything(connection, settings, context.instance, defs.get_repository_def())
        late = behind(connection, settings)
    for spec in (spec for spec in SPECS if spec.key in wanted):
        table = spec.asset_key.to_user_string()
        if spec.name == "stream_old":
            mine = [b for b in late if stream(b.integration, b.entity).table == table]
            yield _result(spec, _as_findings(mine), mine)
        else:
            signal = _PER_TABLE.get(spec.name)
            causes = [f for key, f in found[spec.name].items() if signal is None or signal.table(key) == table]
            yield _result(spec, causes, [])


def after_pull(instance: dg.DagsterInstance, database: Database, settings: Settings, table: str) -> None:
    """Shows at once, beside the materialization of a staging asset, whether too much of what came breaks a rule.

    A record of the check and not a step of the run: nothing waits for it, since the other records go on in any case.
    """
    code = "rejected_share"
    with database.connect() as connection:
        found = look(connection, settings, [code])[code]
    result = _result(
        dg.AssetCheckSpec(code, asset=table), [finding for key, finding in found.items() if key == table], []
    )
    instance.report_runless_asset_event(
        dg.AssetCheckEvaluation(
            asset_key=dg.AssetKey(table),
            check_name=code,
            passed=result.passed,
            severity=result.severity,
            metadata=result.metadata,
        )
    )


def _as_findings(late: Sequence[Behind]) -> list[Finding]:
    return [
        Finding(
            b.severity,
            f"user {b.user_id}: {b.why}",
            {"what": f"not synced for {b.hours:.0f} hours", "users": [b.user_id], "do": b.do},
        )
        for b in late[:_ROWS]
    ]


def _result(spec: dg.AssetCheckSpec, causes: Sequence[Finding], late: Sequence[Behind]) -> dg.AssetCheckResult:
    """Red where a cause is critical, yellow where all are warnings; news of severity info is no failure."""
    worst = {finding.severity for finding in causes}
    metadata: dict[str, Any] = {"causes": len(causes)}
    if causes:
        users = sorted({user for finding in causes for user in finding.body["users"]})
        metadata |= {
            "what": dg.MetadataValue.md("\n".join(f"- {f.subject}: {f.body['what']}" for f in causes[:_SHOWN])),
            "do": ", ".join(sorted({f"`{finding.body['do']}`" for finding in causes})[:_SHOWN]),
            "users": dg.MetadataValue.json(users),
        }
    if late:
        rows = [
            {"user": b.user_id, "since": f"{b.since:%Y-%m-%d %H:%M}", "why": b.why, "do": b.do} for b in late[:_ROWS]
        ]
        metadata["behind"] = dg.MetadataValue.table([dg.TableRecord(row) for row in rows])
    return dg.AssetCheckResult(
        asset_key=spec.asset_key,
        check_name=spec.name,
        passed=not worst - {"info"},
        severity=dg.AssetCheckSeverity.ERROR if "critical" in worst else dg.AssetCheckSeverity.WARN,
        metadata=metadata,
    )
