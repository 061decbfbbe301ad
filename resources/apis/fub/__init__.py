"""Follow Up Boss, REST API v1: endpoints as data, models of what we depend on, and the client."""

from resources.apis.fub.client import FubClient
from resources.apis.fub.models import MODELS

ENTITIES = (
    "accounts",
    "users",
    "groups",
    "stages",
    "pipelines",
    "people",
    "deals",
    "events",
    "calls",
    "appointments",
    "text_messages",
)

__all__ = ["ENTITIES", "MODELS", "FubClient"]
