"""`python -m sandbox --port 8700 --home DIR`: the stand-ins until SIGTERM."""

from __future__ import annotations

import argparse
from pathlib import Path

from sandbox.admin import open_world
from sandbox.server import Sandbox, server_of
from sandbox.world import Scale


def main() -> None:
    """Reads the arguments and serves."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=8700, help="0 takes a free port")
    parser.add_argument("--home", type=Path, required=True, help="folder that keeps the world's history")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--people", type=int, default=Scale().people)
    parser.add_argument("--deals", type=int, default=Scale().deals)
    parser.add_argument("--fub-limit", type=int, help="calls in 10 s per CRM account, in place of the documented number")
    arguments = parser.parse_args()
    world, steps = open_world(arguments.home, arguments.seed, Scale(people=arguments.people, deals=arguments.deals))
    sandbox = Sandbox(world, home=arguments.home)
    sandbox.admin.steps = steps
    sandbox.admin._save()
    if arguments.fub_limit:
        sandbox.limits.raised = {"global": arguments.fub_limit, "events": max(20, arguments.fub_limit // 10)}
    server, listener = server_of(sandbox, arguments.port)
    server.run([listener])


if __name__ == "__main__":
    main()
