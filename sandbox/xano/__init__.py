"""A stand-in for the Metadata API of the Xano instance that V1 lives on."""

from sandbox.xano.server import XanoServer

__all__ = ["XanoServer"]
