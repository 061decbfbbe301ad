"""What a backup says about itself: when, of which schema, how many rows each table had, and the digest of each file."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from pydantic import BaseModel, Field, ValidationError

from resources.errors import V2Error

FILE = "manifest.json"
KEY_FILE = "secret.key"
#: Which schemas of which database belong to the platform. Both may be one database; a backup takes nothing else.
PARTS: dict[str, tuple[str, ...]] = {"v2": ("staging", "v2", "ops", "v1"), "dagster": ("public",)}


class BackupError(V2Error):
    """A backup cannot be made, is not whole, or does not fit."""

    code = "backup"


class Manifest(BaseModel):
    """`rows`: per part and table ("ops.incident") the rows in the very snapshot that was dumped."""

    made_at: datetime = Field(default_factory=lambda: datetime.now(UTC))
    postgres: int
    revisions: list[str]
    rows: dict[str, dict[str, int]] = Field(default_factory=dict)
    files: dict[str, str] = Field(default_factory=dict)
    keys: list[str] = Field(default_factory=list)


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a backup that is whole. Raises BackupError naming the file that is missing or damaged."""
    try:
        manifest = Manifest.model_validate_json((folder / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BackupError(
            f"{folder} is no backup: it has no {FILE}.", hint="name the folder that `v2 backup --to` made"
        ) from None
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise BackupError(
            f"{folder / FILE} cannot be read: {type(error).__name__}.", hint="take another backup"
        ) from None
    for name, expected in manifest.files.items():
        path = folder / name
        if not path.is_file() or digest(path) != expected:
            raise BackupError(
                f"{name} of this backup is {'damaged' if path.is_file() else 'missing'}.",
                hint="take another backup, or copy this one again; nothing was changed",
                context={"file": name},
            )
    return manifest


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def row_counts(connection: psycopg.Connection[Any], part: str) -> dict[str, int]:
    """Rows of every table of a part, by its full name."""
    names = connection.execute(
        "select schemaname, tablename from pg_tables where schemaname = any(%s) order by 1, 2", [list(PARTS[part])]
    ).fetchall()
    counts = {}
    for schema, table in names:
        query = sql.SQL("select count(*) from {}").format(sql.Identifier(schema, table))
        counts[f"{schema}.{table}"] = (connection.execute(query).fetchone() or (0,))[0]
    return counts
