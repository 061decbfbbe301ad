"""Answers as models made from the catalogue: what OpenAPI promises.

Answers themselves are written by Postgres as JSON and handed on; a test holds them to these models.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, Field, create_model

from v2_assets.api.endpoint import Endpoint, Type, fields_of
from v2_assets.api.endpoint import Field as ItemField

_VALUES: dict[Type, Any] = {
    "text": str,
    "whole": int,
    "number": float,
    "flag": bool,
    "day": date,
    "instant": datetime,
    "document": Any,
    "labels": list[str],
}


def answer_model(endpoint: Endpoint) -> type[BaseModel]:
    """The model of an endpoint's answer."""
    item = _item(f"{endpoint.name}_item", endpoint.fields)
    if endpoint.kind == "count":
        return item
    if endpoint.kind == "record":
        parts: dict[str, Any] = {
            part.name: (
                list[_item(f"{endpoint.name}_{part.name}", fields_of(part.table))],
                Field(description=part.table),
            )
            for part in endpoint.parts
        }
        return create_model(endpoint.name, __base__=item, **parts)
    fields: dict[str, Any] = {
        "items": (list[item], Field(description="The rows.")),
        "itemsReceived": (int, Field(description="How many rows these are.")),
    }
    if endpoint.kind == "rows":
        fields |= _PAGING
    return create_model(endpoint.name, **fields)


_PAGING: dict[str, Any] = {
    "curPage": (int | None, Field(description="The page's number; null behind a cursor.")),
    "nextPage": (int | None, Field(description="The next page's number; null when there is none, or behind a cursor.")),
    "prevPage": (int | None, Field(description="The number of the page before; null when there is none.")),
    "offset": (int | None, Field(description="Rows before the page; null behind a cursor.")),
    "perPage": (int, Field(description="Rows that a page has at most.")),
    "itemsTotal": (int | None, Field(description="Rows in all; null unless they were counted.")),
    "pageTotal": (int | None, Field(description="Pages in all; null unless rows were counted.")),
    "nextCursor": (str | None, Field(description="Where the next page begins; null when there is none.")),
}


def _item(name: str, fields: tuple[ItemField, ...]) -> type[BaseModel]:
    made: dict[str, Any] = {
        field.name: (
            _VALUES[field.type] | None if field.nullable and field.type != "document" else _VALUES[field.type],
            Field(description=field.meaning, json_schema_extra={"x-personal": True} if field.personal else None),
        )
        for field in fields
    }
    return create_model(name, **made)
