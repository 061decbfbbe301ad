"""Between comparisons the gate is looked at too: what V2 serves and turned red goes back to V1 within a minute.

Its reasons (syncs, shadow reading, the age of a comparison) change at any time. While nobody is served from V2 there is
nothing to take back, and looking is left out.
"""

from collections.abc import Iterator

import dagster as dg

from v2_assets.automation import GATE_INTERVAL_S
from v2_assets.gate.assets import gate_job
from v2_assets.gate.look import look
from v2_assets.gate.stop import enforce
from v2_assets.gate.switch import in_force
from v2_assets.platform_resource import PlatformResource

_NEWEST = "select max(id) from ops.comparison_run where status <> 'running'"


@dg.sensor(
    name="v1_gate",
    job=gate_job,
    minimum_interval_seconds=GATE_INTERVAL_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Takes back to V1 what is served from V2 and turned red; has the page drawn after each comparison.",
)
def gate_sensor(
    context: dg.SensorEvaluationContext, platform: PlatformResource
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    taken = []
    with platform.database.connect(autocommit=True) as connection:
        now = in_force(connection)
        if any(standing.share for standing in now.endpoints.values()) or now.users:
            taken = enforce(connection, look(connection, platform.settings).verdicts)
        row = connection.execute(_NEWEST).fetchone()
    newest = str(row[0]) if row and row[0] else ""
    if newest == (context.cursor or ""):
        yield dg.SkipReason(f"{len(taken)} taken back to V1; no comparison has ended since the page was drawn")
        return
    context.update_cursor(newest)
    yield dg.RunRequest(run_key=f"gate/{newest}")
