"""What a sandbox keeps in its home, so that a restart comes back to the same world: how it began and what was done."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sandbox.world import Scale, World
from sandbox.world.move import merge_people, rotate, touch

STATE_FILE = "sandbox.json"


@dataclass
class Deeds:
    """What was done to a world since it began, in order (`{"step": instant}`, `{"touch": […]}`, …), and what is on."""

    done: list[dict[str, Any]] = field(default_factory=list)
    faults: list[dict[str, Any]] = field(default_factory=list)
    limits: dict[str, int] = field(default_factory=dict)


def open_world(home: Path, seed: int, scale: Scale) -> tuple[World, Deeds]:
    """The world this home had when it was last stopped, or a new one of this seed and scale.

    Raises ValueError for a state that this version cannot read.
    """
    file = home / STATE_FILE
    if not file.exists():
        return World(seed, scale), Deeds()
    state = json.loads(file.read_text(encoding="utf-8"))
    if "scale" not in state or "done" not in state:
        raise ValueError(f"{file} is no state of this version of the sandbox: remove it to begin a new world")
    kept = Scale(**{**state["scale"], "seats": tuple(state["scale"]["seats"])})
    world = World(state["seed"], kept, datetime.fromisoformat(state["start"]))
    deeds = Deeds(state["done"], state["faults"], state["limits"])
    for deed in deeds.done:
        do(world, deed)
    return world, deeds


def do(world: World, deed: dict[str, Any]) -> dict[str, Any]:
    """Does one deed, as asked for now or again after a restart. Raises KeyError for an unknown contact or user."""
    if "step" in deed:
        return world.step(datetime.fromisoformat(deed["step"]))
    if "touch" in deed:
        return touch(world, *deed["touch"])
    if "rotate" in deed:
        return {"key": rotate(world, *deed["rotate"])}
    if "merge" in deed:
        account, winner, loser, at = deed["merge"]
        world.now = max(world.now, datetime.fromisoformat(at))
        return merge_people(world, world.accounts[account], winner, loser)
    account, person, user, at = deed["reassign"]
    world.now = max(world.now, datetime.fromisoformat(at))
    return world.reassign(account, person, user)


def save(home: Path, world: World, deeds: Deeds) -> None:
    """Writes the state in one piece."""
    state = {"seed": world.seed, "start": world.start.isoformat(), "scale": asdict(world.scale), **asdict(deeds)}
    home.mkdir(parents=True, exist_ok=True)
    draft = home / f".{STATE_FILE}.{os.getpid()}"
    draft.write_text(json.dumps(state, indent=1), encoding="utf-8")
    draft.replace(home / STATE_FILE)
