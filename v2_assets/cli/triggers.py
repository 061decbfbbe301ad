"""`v2 triggers`: what starts each asset, when it last did, and when it will next."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from resources.errors import V2Error
from v2_assets.cli.opened import opened
from v2_assets.cli.output import current, table


class AssetWithoutTrigger(V2Error):
    """An asset that no schedule and no sensor starts."""

    code = "asset_without_trigger"


def triggers(
    asset: Annotated[str | None, typer.Option(help="only this asset and what starts it, e.g. fub_people")] = None,
) -> None:
    """List what starts each asset, when it last did and will next. The exit code is 1 when nothing starts one."""
    from v2_assets.cli.runs import as_platform

    with opened() as o:
        as_platform(o)
        told = listing()
    if asset is not None:
        known = {row["asset"] for row in told["assets"]}
        if asset not in known:
            raise typer.BadParameter(f"there is no asset {asset!r}; `v2 triggers` lists them")
        told["assets"] = [row for row in told["assets"] if row["asset"] == asset]
        told["triggers"] = [row for row in told["triggers"] if row["name"] in told["assets"][0]["started_by"]]

    def human(console: Any) -> None:
        columns = ("trigger", "kind", "when", "state", "assets", "last looked", "last started a run", "next")
        console.print(table(columns, [_line(row) for row in told["triggers"]]))
        rows = [
            (row["asset"], ", ".join(row["started_by"]), _time(row["last"]), row["last_started_by"], _time(row["next"]))
            for row in told["assets"]
        ]
        console.print(table(("asset", "started by", "last", "that time by", "next by the clock"), rows))

    if without := [row["asset"] for row in told["assets"] if not row["started_by"]]:
        error = AssetWithoutTrigger(
            f"nothing starts {', '.join(without)}",
            hint="switch its schedule or sensor on in the UI under Automation; docs/runbooks/asset-without-trigger.md",
        )
        if not current().as_json:
            human(current().console)
        raise typer.Exit(current().fail(error, told))
    current().done(told, human)


def listing() -> dict[str, Any]:
    """`triggers`: one entry per schedule and sensor; `assets`: one per asset, with the triggers that are on."""
    import dagster as dg

    from v2_assets.cli.tables import latest
    from v2_assets.definitions import defs
    from v2_assets.triggers import triggers as all_triggers

    repository, instance = defs.get_repository_def(), dg.DagsterInstance.get()
    held = all_triggers(repository, instance)
    graph = repository.asset_graph
    keys = [key for key in graph.toposorted_asset_keys if key in graph.materializable_asset_keys]
    last = latest(instance, keys)
    assets: list[dict[str, Any]] = []
    for name in (key.to_user_string() for key in keys):
        mine = [trigger for trigger in held if trigger.on and name in trigger.assets]
        ticks = [trigger.next_tick for trigger in mine if trigger.kind == "schedule" and trigger.next_tick]
        at, by = last.get(name, (None, None))
        assets.append(
            {
                "asset": name,
                "started_by": [trigger.name for trigger in mine],
                "last": at,
                "last_started_by": by,
                "next": min(ticks, default=None),
            }
        )
    return {
        "at": datetime.now(UTC),
        "triggers": [
            {
                "name": each.name,
                "kind": each.kind,
                "when": each.when,
                "on": each.on,
                "assets": len(each.assets),
                "last_tick": each.last_tick,
                "last_started": each.last_started,
                "next_tick": each.next_tick,
            }
            for each in held
        ],
        "assets": assets,
    }


def _line(row: dict[str, Any]) -> Sequence[Any]:
    state = "on" if row["on"] else "OFF"
    times = (_time(row["last_tick"]), _time(row["last_started"]), _time(row["next_tick"]))
    return (row["name"], row["kind"], row["when"], state, row["assets"], *times)


def _time(at: datetime | None) -> str | None:
    return f"{at:%Y-%m-%d %H:%M:%S}" if at else None


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(triggers)
