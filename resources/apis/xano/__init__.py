"""V1: the tables of the old product, through Xano's Metadata API, from files, or from a copy in Postgres.

The two copies are in `copies`, which only an import needs.
"""

from resources.apis.xano.client import XanoClient
from resources.apis.xano.raw import RowSource
from resources.apis.xano.rows import MODELS, record_of_row
from resources.apis.xano.tables import ENTITIES, TABLES, plain_name

__all__ = [
    "ENTITIES",
    "MODELS",
    "TABLES",
    "RowSource",
    "XanoClient",
    "plain_name",
    "record_of_row",
]
