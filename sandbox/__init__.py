"""Stand-ins for the external systems: real HTTP servers over one seeded world, built to the systems' documents.

Nothing in the platform knows that these are not the real thing. Not here: anything that reads them.
"""

from sandbox.server import Sandbox, serve
from sandbox.world import World

__all__ = ["Sandbox", "World", "serve"]
