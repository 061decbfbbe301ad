"""SkySlope's files API: the signed login, bulk answers, folder lists, models of what we depend on, the client."""

from resources.apis.skyslope.client import SkySlopeClient
from resources.apis.skyslope.models import MODELS

ENTITIES = ("offices", "users", "listings", "transactions")

__all__ = ["ENTITIES", "MODELS", "SkySlopeClient"]
