"""V1: the tables of the old product, read through Xano's Metadata API."""

from resources.apis.xano.client import XanoClient
from resources.apis.xano.rows import MODELS, record_of_row
from resources.apis.xano.tables import ENTITIES, TABLES, plain_name

__all__ = ["ENTITIES", "MODELS", "TABLES", "XanoClient", "plain_name", "record_of_row"]
