"""Stand-ins for the external systems: real HTTP servers over one seeded world, built to the systems' documents.

    with sandbox.serve() as running:
        running.fub_url, running.rezen_url      # what the clients' base URLs are to be set to
        running.world.users[0].fub_key          # who may ask
        running.world.step()                    # time passes
        running.faults.add({"name": "storm_429", "path": "/people", "times": 3})
        running.requests.total("/people", status=429)

Nothing in the platform knows that these are not the real thing. Not here: anything that reads them.
"""

from sandbox.server import Sandbox, serve
from sandbox.world import Scale, World

__all__ = ["Sandbox", "Scale", "World", "serve"]
