"""A stand-in for Qualia's partner surface: GraphQL over HTTP Basic, with its refusals and traps."""

from sandbox.title.server import TitleServer

__all__ = ["TitleServer"]
