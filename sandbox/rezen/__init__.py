"""reZEN as public clients describe it: yenta for people and teams, arrakis for deals. A key sees what its agent may."""

from sandbox.rezen.server import RezenServer

__all__ = ["RezenServer"]
