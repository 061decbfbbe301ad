"""What a caller asks for: query parameters as models made from the catalogue, typed and closed.

An unknown parameter is an error that names it. Here: the models, and what was asked as plain data. Not here: the SQL
(`pages`).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

import orjson
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    create_model,
)

from v2_assets.api.endpoint import RANGED, Endpoint, Type, type_of
from v2_assets.api.errors import BadRequest

LARGEST_PAGE = 200
#: How far page numbers reach; what is behind is reached by the cursor, which does not read what it skips.
DEEPEST_ROW = 10_000
#: How often a filter may be repeated.
MOST_VALUES = 50
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
    "text": Annotated[list[_Text], Field(max_length=MOST_VALUES)],
    "whole": Annotated[list[_Whole], Field(max_length=MOST_VALUES)],
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


class Parameters:
    """The parameters of one endpoint: the model that takes them and no others, and what it takes as data.

    FastAPI could read a query into the model by itself, but looks at every field anew for every request: 1.3 ms of the
    2 ms that a page took.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._comparisons: dict[str, tuple[str, str]] = {}
        fields: dict[str, Any] = {}
        if endpoint.kind == "record":
            fields["id"] = (_Whole, Field(description="Our own number of the row."))
        else:
            fields |= self._filters()
        for also in endpoint.also:
            fields[also.name] = (_PARAMETERS[also.type] | None, Field(default=None, description=also.meaning))
        if endpoint.search:
            how = "Words that each begin one of" if endpoint.finder else "Text that is in one of"
            fields["search"] = (
                _Sought | None,
                Field(default=None, description=f"{how}: {', '.join(endpoint.search)}."),
            )
        if endpoint.kind == "rows":
            fields |= _paging(endpoint)
        self.model = create_model(f"{endpoint.name}_query", __config__=ConfigDict(extra="forbid"), **fields)
        schema = self.model.model_json_schema()
        self._lists = {name for name, _ in fields.items() if _is_list(schema["properties"][name])}
        self._schema = schema

    def _filters(self) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        for column in self._endpoint.filters:
            kind = type_of(self._endpoint.table or "", column)
            if kind in RANGED:
                found = ((f"{column}_from", "from", "Least value of"), (f"{column}_to", "to", "Largest value of"))
            elif kind == "flag":
                found = ((column, "is", "The value of"),)
            else:
                found = ((column, "any", "One of the values of; may be repeated:"),)
            for name, comparison, what in found:
                self._comparisons[name] = (column, comparison)
                fields[name] = (_PARAMETERS[kind] | None, Field(default=None, description=f"{what} {column}."))
        return fields

    def openapi(self) -> list[dict[str, Any]]:
        """The parameters as OpenAPI lists them."""
        required = self._schema.get("required", ())
        return [
            {"name": name, "in": "query", "required": name in required, "schema": _not_null(schema)}
            for name, schema in self._schema["properties"].items()
        ]

    def read(self, given: Iterable[tuple[str, str]]) -> Asked:
        """What a query asks for. Raises BadRequest naming what is unknown or cannot be read."""
        values: dict[str, Any] = {}
        for name, value in given:
            if name in self._lists:
                values.setdefault(name, []).append(value)
            else:
                values[name] = value
        try:
            return self._asked(self.model.model_validate(values))
        except ValidationError as error:
            raise _unreadable(error) from None

    def _asked(self, query: BaseModel) -> Asked:
        found = {name: value for name, value in query if value is not None}
        sort = found.pop("sort", "id")
        cursor = found.pop("cursor", None)
        made = Asked(
            search=found.pop("search", None),
            sort=sort,
            page=found.pop("page", 1),
            per_page=found.pop("per_page", 50),
            after=None if cursor is None else _after(cursor, sort),
            count=found.pop("totals", None) == "exact",
            filters=tuple(self._comparisons[name] for name in found if name in self._comparisons),
            values=found,
        )
        if made.offset + made.per_page > DEEPEST_ROW:
            raise BadRequest(
                f"Page numbers reach {DEEPEST_ROW} rows.",
                hint="go on with cursor=<nextCursor of the page before>, or narrow with filters",
                context={"parameters": ["page", "per_page"]},
            )
        return made


def _is_list(schema: dict[str, Any]) -> bool:
    return any(part.get("type") == "array" for part in schema.get("anyOf", [schema]))


def _not_null(schema: dict[str, Any]) -> dict[str, Any]:
    """The same without null, which a query cannot say."""
    parts = [part for part in schema.get("anyOf", []) if part != {"type": "null"}]
    kept = {
        key: value for key, value in schema.items() if key not in ("anyOf", "default", "title") or value is not None
    }
    kept.pop("anyOf", None)
    return kept | (parts[0] if len(parts) == 1 else {"anyOf": parts} if parts else {})


def _unreadable(error: ValidationError) -> BadRequest:
    """Names every parameter; never repeats its value."""
    lines, names = [], []
    for problem in error.errors(include_input=False, include_url=False, include_context=False):
        name = str(problem["loc"][0])
        names.append(name)
        unknown = problem["type"] == "extra_forbidden"
        text = "is no parameter of this endpoint" if unknown else problem["msg"].removeprefix("Value error, ")
        lines.append(f"{name}: {text[0].lower()}{text[1:]}")
    names = list(dict.fromkeys(names))
    return BadRequest("; ".join(lines), hint="see /docs for the parameters there are", context={"parameters": names})


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
        and (isinstance(value, str) or (value is None and sort.removeprefix("-") != "id"))
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
