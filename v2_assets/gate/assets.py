"""The gate in Dagster: judged after each comparison, drawn as a page, and shown as checks that block nothing.

Not here: who looks between comparisons whether something has to go back to V1 (`sensors.gate`).
"""

from collections.abc import Iterable

import dagster as dg

from v2_assets.automation import KIND_TAG, OWNERS
from v2_assets.gate.look import Gate, look
from v2_assets.gate.page import draw
from v2_assets.gate.rules import Verdict
from v2_assets.gate.stop import enforce
from v2_assets.gate.story import story
from v2_assets.health.report import keep_report, report_url
from v2_assets.platform_resource import PlatformResource

#: Failing subjects that a check's metadata names.
NAMED = 50
_CHECKS = {
    "endpoints_ready": "Every endpoint may be served from V2.",
    "tables_ready": "Every table that V1 has too is right in V2.",
    "users_ready": "Every user may be served from V2.",
}


@dg.asset(
    group_name="operations",
    kinds={"postgres", "html"},
    owners=OWNERS,
    check_specs=[dg.AssetCheckSpec(name, asset="v1_gate", description=what) for name, what in _CHECKS.items()],
    description="Whether V2 may take V1's place: per table, user and endpoint, ready or not and why; drawn as a page.",
)
def v1_gate(context: dg.AssetExecutionContext, platform: PlatformResource) -> dg.MaterializeResult:
    with platform.database.connect(autocommit=True) as connection:
        gate = look(connection, platform.settings)
        taken = enforce(connection, gate.verdicts)
        html = draw(story(connection, gate))
        number = keep_report(connection, "gate", html)
    url = report_url(platform.settings, number)
    return dg.MaterializeResult(
        metadata={
            "page": dg.MetadataValue.url(url),
            "bytes": len(html),
            "endpoints_ready": _ready(gate.endpoints.values()),
            "tables_ready": _ready(gate.tables.values()),
            "users_ready": _ready(gate.users.values()),
            "not_ready": dg.MetadataValue.md(_listed(gate)),
            "taken_back": len(taken),
        },
        check_results=[
            _check("endpoints_ready", list(gate.endpoints.values())),
            _check("tables_ready", list(gate.tables.values())),
            _check("users_ready", list(gate.users.values())),
        ],
    )


def _ready(verdicts: Iterable[Verdict]) -> int:
    return sum(verdict.ready for verdict in verdicts)


def _check(name: str, verdicts: list[Verdict]) -> dg.AssetCheckResult:
    """Passed when all are ready; nothing at all is not ready."""
    red = [verdict for verdict in verdicts if not verdict.ready]
    why = {verdict.subject: [failure.why for failure in verdict.failures] for verdict in red[:NAMED]}
    return dg.AssetCheckResult(
        check_name=name,
        passed=bool(verdicts) and not red,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"not_ready": len(red), "of": len(verdicts), "why": dg.MetadataValue.json(why)},
    )


def _listed(gate: Gate) -> str:
    """Endpoints and tables that are not ready, as a table for the UI."""
    red = [verdict for verdict in (*gate.endpoints.values(), *gate.tables.values()) if not verdict.ready]
    lines = [f"| {v.kind} | `{v.subject}` | {'; '.join(f.why for f in v.failures)} |" for v in red]
    return "\n".join(["| what | which | why not |", "|---|---|---|", *lines]) if lines else "All are ready."


GATE = [v1_gate]
gate_job = dg.define_asset_job(
    "judge_v1_gate",
    selection=dg.AssetSelection.assets(v1_gate),
    tags={KIND_TAG: "gate"},
    description="Judges what may be served from V2 and draws the page. Reads no source and changes no record.",
)
