"""The stand-ins' mailbox and endpoint, under the name that the tests know."""

from sandbox.sinks import Sink, http_sink, smtp_sink

__all__ = ["Sink", "http_sink", "smtp_sink"]
