"""What starts each asset: which schedules and sensors, whether they are on, when they last did and when they will.

Read from the definitions and from Dagster's own records of ticks, so that nobody keeps a second list. Used by
`v2 triggers`, by the check on the asset `health_report`, and by the sensor `alerts`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import dagster as dg
from dagster._core.scheduler.instigation import InstigatorState, TickStatus
from dagster._utils.schedules import cron_string_iterator

from v2_assets.incidents import Finding


@dataclass(frozen=True, slots=True)
class Trigger:
    """One schedule or sensor: `when` is its cron expression or interval; `assets` are the names of what it starts.

    `last_tick` is when it last looked, `last_started` when it last asked for a run; both are None before that.
    """

    name: str
    kind: Literal["schedule", "sensor"]
    when: str
    on: bool
    assets: frozenset[str]
    last_tick: datetime | None
    last_started: datetime | None
    next_tick: datetime | None

    @property
    def label(self) -> str:
        """Its name, and a schedule's time."""
        return f"{self.name} ({self.when})" if self.kind == "schedule" else self.name


def triggers(repository: dg.RepositoryDefinition, instance: dg.DagsterInstance, *, times: bool = True) -> list[Trigger]:
    """Every schedule and sensor of these definitions, as this instance knows them.

    `times=False` leaves out when they last did, which costs two questions to the instance for each.
    """
    now = datetime.now(UTC)
    last = _last if times else lambda *_: (None, None)
    states = {state.instigator_name: state for state in instance.all_instigator_state()}
    started = _assets_by_job(repository)
    found: list[Trigger] = []
    for schedule in sorted(repository.schedule_defs, key=lambda s: s.name):
        state, cron = states.get(schedule.name), str(schedule.cron_schedule)
        on = _is_on(state, schedule.default_status == dg.DefaultScheduleStatus.RUNNING)
        zone = schedule.execution_timezone or "UTC"
        tick = next(cron_string_iterator(now.timestamp(), cron, zone)) if on else None
        assets = started.get(schedule.job_name, frozenset())
        found.append(Trigger(schedule.name, "schedule", cron, on, assets, *last(instance, state), tick))
    for sensor in sorted(repository.sensor_defs, key=lambda s: s.name):
        state, seconds = states.get(sensor.name), sensor.minimum_interval_seconds or 30
        on = _is_on(state, sensor.default_status == dg.DefaultSensorStatus.RUNNING)
        looked, did = last(instance, state)
        tick = max(now, (looked or now) + timedelta(seconds=seconds)) if on else None
        jobs = (target.job_name for target in sensor.targets)
        assets = frozenset[str]().union(*(started.get(job, frozenset()) for job in jobs))
        found.append(Trigger(sensor.name, "sensor", f"every {seconds} s", on, assets, looked, did, tick))
    return found


def _assets_by_job(repository: dg.RepositoryDefinition) -> Mapping[str, frozenset[str]]:
    return {
        job.name: frozenset(key.to_user_string() for key in job.asset_layer.executable_asset_keys)
        for job in repository.get_all_jobs()
        if not job.name.startswith("__")
    }


def _is_on(state: InstigatorState | None, by_default: bool) -> bool:
    return state.is_running if state else by_default


def _last(instance: dg.DagsterInstance, state: InstigatorState | None) -> tuple[datetime | None, datetime | None]:
    """When it last looked, and when that last started something."""
    if state is None:
        return None, None

    def newest(statuses: list[TickStatus] | None) -> datetime | None:
        ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=1, statuses=statuses)
        return datetime.fromtimestamp(ticks[0].timestamp, UTC) if ticks else None

    return newest(None), newest([TickStatus.SUCCESS])


def untriggered(repository: dg.RepositoryDefinition, held: Iterable[Trigger]) -> list[str]:
    """Assets that nothing starts: no schedule or sensor that is on."""
    started = {name for trigger in held if trigger.on for name in trigger.assets}
    keys = repository.asset_graph.materializable_asset_keys
    return sorted({key.to_user_string() for key in keys} - started)


def findings(repository: dg.RepositoryDefinition, held: Iterable[Trigger]) -> dict[str, dict[str, Finding]]:
    """What is wrong with the triggers, by alert code and cause: assets without any, and those that are switched off."""
    held = list(held)
    off = [trigger for trigger in held if not trigger.on]
    without: dict[str, Finding] = {}
    if names := untriggered(repository, held):
        what = f"Nothing starts {_listed(names)}: their data stands still."
        without["assets"] = Finding("critical", f"{len(names)} assets have no trigger", _body(what))
    return {
        "asset_without_trigger": without,
        "trigger_off": {
            each.name: Finding(
                "warning",
                f"the {each.kind} {each.name} is switched off",
                _body(f"It would start {_listed(sorted(each.assets)) if each.assets else 'no asset, but looks'}."),
            )
            for each in off
        },
    }


def _listed(names: list[str]) -> str:
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")


def _body(what: str) -> dict[str, Any]:
    return {"what": what, "since": None, "users": [], "link": "/automation", "do": "v2 triggers"}
