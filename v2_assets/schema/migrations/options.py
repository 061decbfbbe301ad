"""What Alembic compares and where it keeps its version; shared by `env.py` and the tests."""

from __future__ import annotations

from typing import Any

from v2_assets.schema import SCHEMAS, metadata

VERSION_TABLE = "alembic_version"
VERSION_SCHEMA = "ops"


def _ours(name: str | None, kind: str, _parents: Any) -> bool:
    return name in SCHEMAS if kind == "schema" else name != VERSION_TABLE


OPTIONS: dict[str, Any] = {
    "target_metadata": metadata,
    "version_table": VERSION_TABLE,
    "version_table_schema": VERSION_SCHEMA,
    "include_schemas": True,
    "include_name": _ours,
    "compare_type": True,
    "compare_server_default": True,
}
