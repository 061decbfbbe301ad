"""V1 behind Xano: the Metadata API, read-only, and the endpoints of its frontend."""

from sandbox.xano.frontend import FrontendServer
from sandbox.xano.server import XanoServer

__all__ = ["FrontendServer", "XanoServer"]
