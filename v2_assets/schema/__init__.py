"""Declarations: every table of the platform, once, with its meaning.

`metadata.tables["v2.fub_people"]` is a SQLAlchemy `Table` with comments, constraints and an `info` dictionary (grain,
natural_key, sources, domain, freshness, personal, v1, derived, may_be_empty). Migrations, checks, Dagster's column
schema and the reference pages are made from these; nothing here talks to a database (`migrate.py` does).
"""

from v2_assets.schema import (
    aggregates,
    api,
    backups,
    comparison,
    crm,
    deals,
    identity,
    money,
    network,
    ops,
    people,
    places,
    shadow,
    stage,
    switch,
    title,
    webhooks,
)
from v2_assets.schema.stage import STATUSES, STREAMS, Stream
from v2_assets.schema.vocabulary import SCHEMAS, metadata

__all__ = [
    "SCHEMAS",
    "STATUSES",
    "STREAMS",
    "Stream",
    "aggregates",
    "api",
    "backups",
    "comparison",
    "crm",
    "deals",
    "identity",
    "metadata",
    "money",
    "network",
    "ops",
    "people",
    "places",
    "shadow",
    "stage",
    "switch",
    "title",
    "webhooks",
]
