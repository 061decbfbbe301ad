"""What a declaration tells Dagster: description, column schema, keys, and the reference page."""

from __future__ import annotations

from typing import Any

import dagster as dg

from v2_assets.automation import FRESHNESS, SWEEP_CRONS
from v2_assets.schema import metadata


def declared_metadata(schema: str, table: str) -> dict[str, Any]:
    """Definition metadata of a table's asset: its name, columns, grain, natural key and reference page."""
    declared = metadata.tables[f"{schema}.{table}"]
    personal = set(declared.info["personal"])
    columns = [
        dg.TableColumn(
            name=column.name,
            type=str(column.type).lower(),
            description=column.comment,
            constraints=dg.TableColumnConstraints(
                nullable=bool(column.nullable),
                other=["personal data"] if column.name in personal else [],
            ),
        )
        for column in declared.columns
    ]
    values: dict[str, Any] = {
        "dagster/column_schema": dg.TableSchema(columns=columns),
        "dagster/table_name": f"{schema}.{table}",
        "grain": declared.info["grain"],
        "natural_key": ", ".join(declared.info["natural_key"]),
    }
    if schema == "v2":
        values["reference"] = dg.MetadataValue.md(f"docs/reference/tables/{table}.md")
    return values


def description(table: str) -> str:
    """The V2 table's comment and grain, as its asset's description."""
    declared = metadata.tables[f"v2.{table}"]
    return f"{declared.comment or ''}\n\nGrain: {declared.info['grain']}. From: {', '.join(declared.info['sources'])}."


def freshness(schema: str, table: str) -> dg.FreshnessPolicy | None:
    """The policy of a table's class. None for staging that no sweep reads: a file and V1 come when a person asks."""
    info = metadata.tables[f"{schema}.{table}"].info
    if schema == "staging" and not set(info["sources"]) & set(SWEEP_CRONS):
        return None
    return FRESHNESS[info["freshness"]]
