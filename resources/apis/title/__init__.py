"""Qualia (title and escrow): GraphQL documents as data, models of what we depend on, and the client."""

from resources.apis.title.client import TitleClient
from resources.apis.title.models import MODELS

ENTITIES = ("orders", "agencies", "users")

__all__ = ["ENTITIES", "MODELS", "TitleClient"]
