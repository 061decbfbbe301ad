"""Follow Up Boss as its documents and users describe it: Basic auth, envelopes, tokens, filters, limits, refusals."""

from sandbox.fub.server import SYSTEM_KEY, FubServer, basic_user
from sandbox.fub.visible import visible

__all__ = ["SYSTEM_KEY", "FubServer", "basic_user", "visible"]
