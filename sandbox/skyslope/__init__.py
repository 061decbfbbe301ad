"""SkySlope's files API as the vendor's samples and public clients describe it, with the traps of its bodies."""

from sandbox.skyslope.server import SkySlopeServer

__all__ = ["SkySlopeServer"]
