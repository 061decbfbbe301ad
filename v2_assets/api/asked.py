"""What a caller asks for: query parameters as models made from the catalogue, typed and closed.

An unknown parameter is an error that names it. Here: the models, and what was asked as plain data. Not here: the SQL
(`pages`).
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

import orjson
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, create_model

from v2_assets.api.endpoint import RANGED, Endpoint, Type, type_of
from v2_assets.api.errors import BadRequest

LARGEST_PAGE = 200
#: How far page numbers reach; what is behind is reached by the cursor, which does not read what it skips.
DEEPEST_ROW = 10_000
_WHOLE = 2**63


def _no_nul(value: str) -> str:
    if "\x00" in value:
        raise ValueError("must not hold the character NUL")
    return value


def _like(pattern: str, example: str) -> BeforeValidator:
    """Only the one form of writing: pydantic would take numbers for dates too."""

    def check(value: Any) -> Any:
        if isinstance(value, str) and not re.match(pattern, value):
            raise ValueError(f"must be like {example}")
        return value

    return BeforeValidator(check)


_Text = Annotated[str, Field(max_length=200), AfterValidator(_no_nul)]
_Sought: Any = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_no_nul)]
_Cursor: Any = Annotated[str, Field(max_length=2000)]
_Whole = Annotated[int, Field(ge=-_WHOLE, lt=_WHOLE)]
_Number = Annotated[Decimal, Field(max_digits=18, decimal_places=6, allow_inf_nan=False)]
_Day = Annotated[date, _like(r"\d{4}-\d\d-\d\d$", "2026-01-31")]
_Instant = Annotated[AwareDatetime, _like(r"\d{4}-\d\d-\d\dT", "2026-01-31T09:00:00Z")]
_PARAMETERS: dict[Type, Any] = {
    "text": list[_Text],
    "whole": list[_Whole],
    "flag": bool,
    "number": _Number,
    "day": _Day,
    "instant": _Instant,
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One question: `filters` as (column, comparison), `values` by parameter, and where the page begins.

    comparison is any (one of several values), is, from or to; `after` is the last row of the page before, as its sort
    value in Postgres' writing (None where it has none) and id.
    """

    filters: tuple[tuple[str, str], ...] = ()
    values: dict[str, Any] = field(default_factory=dict)
    search: str | None = None
    sort: str = "id"
    page: int = 1
    per_page: int = 50
    after: tuple[str | None, int] | None = None
    count: bool = False

    @property
    def offset(self) -> int:
        """Rows before the page, as far as page numbers tell."""
        return 0 if self.after else (self.page - 1) * self.per_page


def query_model(endpoint: Endpoint) -> type[BaseModel]:
    """The parameters of an endpoint as a model that takes no others."""
    fields: dict[str, Any] = {}
    for column in endpoint.filters:
        kind = type_of(endpoint.table or "", column)
        for name, what in _parameters(column, kind):
            fields[name] = (_PARAMETERS[kind] | None, Field(default=None, description=what))
    for also in endpoint.also:
        fields[also.name] = (_PARAMETERS[also.type] | None, Field(default=None, description=also.meaning))
    if endpoint.search:
        how = "words that each begin one of" if endpoint.finder else "text that is in one of"
        fields["search"] = (_Sought | None, Field(default=None, description=f"{how}: {', '.join(endpoint.search)}"))
    if endpoint.kind == "rows":
        fields |= _paging(endpoint)
    if endpoint.kind == "record":
        fields["id"] = (_Whole, Field(description="Our own number of the row."))
    return create_model(f"{endpoint.name}_query", __config__=ConfigDict(extra="forbid"), **fields)


def _paging(endpoint: Endpoint) -> dict[str, Any]:
    names = [name.removeprefix("-") for name in endpoint.sorts]
    sorts = tuple(sign + name for name in names for sign in ("", "-"))
    totals = "none" if endpoint.walk else "exact"
    return {
        "page": (Annotated[int, Field(ge=1, le=DEEPEST_ROW)], Field(default=1, description="Page number, from 1.")),
        "per_page": (Annotated[int, Field(ge=1, le=LARGEST_PAGE)], Field(default=50, description="Rows on a page.")),
        "cursor": (
            _Cursor | None,
            Field(default=None, description="`nextCursor` of the page before, in place of a page number."),
        ),
        "sort": (
            Literal[sorts],
            Field(default=endpoint.sorts[0], description="What to sort by; - is downwards. Rows without come last."),
        ),
        "totals": (
            Literal["exact", "none"],
            Field(default=totals, description="Whether to count all rows for itemsTotal and pageTotal."),
        ),
    }


def _parameters(column: str, kind: Type) -> tuple[tuple[str, str], ...]:
    if kind in RANGED:
        return ((f"{column}_from", f"Least {column}."), (f"{column}_to", f"Largest {column}."))
    return ((column, f"{column} is this" if kind == "flag" else f"{column} is one of these; may be repeated."),)


def asked(endpoint: Endpoint, query: BaseModel) -> Asked:
    """What a checked query asks for. Raises BadRequest for a cursor that is none, or a page out of reach."""
    given = {name: value for name, value in query if value is not None}
    filters = tuple(
        (column, name[len(column) + 1 :] if kind in RANGED else "is" if kind == "flag" else "any")
        for column in endpoint.filters
        for kind in (type_of(endpoint.table or "", column),)
        for name, _ in _parameters(column, kind)
        if name in given and endpoint.kind != "record"
    )
    reserved = {"page", "per_page", "cursor", "sort", "totals", "search"}
    made = Asked(
        filters=filters,
        values={name: value for name, value in given.items() if name not in reserved},
        search=given.get("search"),
        sort=given.get("sort", "id"),
        page=given.get("page", 1),
        per_page=given.get("per_page", 50),
        after=_after(given["cursor"], given["sort"]) if "cursor" in given else None,
        count=given.get("totals") == "exact",
    )
    if made.offset + made.per_page > DEEPEST_ROW:
        raise BadRequest(
            f"Page numbers reach {DEEPEST_ROW} rows.",
            hint="go on with cursor=<nextCursor of the page before>, or narrow with filters",
            context={"parameters": ["page", "per_page"]},
        )
    return made


def cursor_of(sort: str, value: str | None, row_id: int) -> str:
    """Where the page after this row begins, as text that is not to be looked into."""
    return base64.urlsafe_b64encode(orjson.dumps([sort, value, row_id])).rstrip(b"=").decode()


def _after(cursor: str, sort: str) -> tuple[str | None, int]:
    try:
        made_for, value, row_id = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, TypeError):
        made_for, value, row_id = None, None, None
    if (
        made_for == sort
        and isinstance(value, str | None)
        and "\x00" not in (value or "")
        and type(row_id) is int
        and -_WHOLE <= row_id < _WHOLE
    ):
        return value, row_id
    raise BadRequest(
        "The cursor is not one of this list.",
        hint="take nextCursor as it came, with the same sort; without it the list begins anew",
        context={"parameters": ["cursor"]},
    )
