"""`python -m sandbox --port 8700 --home DIR`: the stand-ins until SIGTERM."""

from __future__ import annotations

import argparse
from pathlib import Path

from sandbox.server import Sandbox, server_of
from sandbox.state import open_world
from sandbox.world import Scale


def main() -> None:
    """Reads the arguments and serves. A home that has a world already keeps its seed and scale."""
    usual = Scale()
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=8700, help="0 takes a free port")
    parser.add_argument("--home", type=Path, required=True, help="folder that keeps the world's history")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--people", type=int, default=usual.people, help="contacts over all CRM accounts")
    parser.add_argument("--deals", type=int, default=usual.deals, help="transactions and listings together")
    parser.add_argument(
        "--seats", type=_seats, default=usual.seats, help="the product's users of each CRM account, e.g. 3,2"
    )
    parser.add_argument(
        "--fub-limit", type=int, help="calls in 10 s per CRM account, in place of the documented number"
    )
    arguments = parser.parse_args()
    scale = Scale(people=arguments.people, deals=arguments.deals, seats=arguments.seats)
    world, deeds = open_world(arguments.home, arguments.seed, scale)
    if arguments.fub_limit:
        deeds.limits = {"global": arguments.fub_limit, "events": max(20, arguments.fub_limit // 10)}
    sandbox = Sandbox(world, home=arguments.home)
    sandbox.admin.resume(deeds)
    server, listener = server_of(sandbox, arguments.port)
    print(f"sandbox ready: {sandbox.url} ({len(world.users)} users, seed {world.seed})", flush=True)
    server.run([listener])


def _seats(text: str) -> tuple[int, ...]:
    seats = tuple(int(part) for part in text.split(","))
    if not seats or min(seats) < 1:
        raise argparse.ArgumentTypeError("every account has at least one user, its owner")
    return seats


if __name__ == "__main__":
    main()
