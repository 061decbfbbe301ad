"""What we depend on in title records. Source: public clients of Qualia's partner surface; no schema is published.

Every field that a merge casts or joins by is typed. Amounts come as numbers or as text, blank or with thousand
separators; milestones are open, unknown ones and null included.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from resources.apis.fields import Flag, Instant, Stamp, bare_amount_of
from resources.apis.records import SourceModel

#: Ids are 17 letters and digits, upper and lower case differ; longer ones are let pass, nothing else is.
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


def _amount(value: Any) -> Any:
    """Blank, with a dollar sign or with thousand separators."""
    return bare_amount_of(re.sub(r"[\s,$]+", "", value) if isinstance(value, str) else value)


Amount = Annotated[Any, BeforeValidator(_amount)]


class Party(SourceModel):
    """Somebody on an order; a trust or company may have neither names nor an e-mail address."""

    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None


class Parties(SourceModel):
    """Null and [] both mean nobody."""

    borrowers: list[Party] | None = None
    sellers: list[Party] | None = None
    listing_agents: list[Party] | None = None
    selling_agents: list[Party] | None = None
    lender_contacts: list[Party] | None = None


class Property(SourceModel):
    """A property; partner orders say address_line_1, vendor orders address_1."""

    city: str | None = None
    state: str | None = None


class Activity(SourceModel):
    """Something that happened; it has no id."""

    activity_type: str | None = None
    created_date: Instant = None
    description: str | None = None


class Milestone(SourceModel):
    """How far one step of an order is; anything but an object tells nothing."""

    complete: Flag = None
    completion_date: Instant = None


_Milestone = Annotated[Milestone, BeforeValidator(lambda value: value if isinstance(value, dict) else {})]


class Order(SourceModel):
    """One title order of the partner surface."""

    id: Id = Field(alias="_id")
    order_number: str | None = None
    status: str | None = None
    open_date: Stamp = None
    close_date: Instant = None
    cash_only: Flag = None
    loan_amount: Amount = None
    purchase_price: Amount = None
    settlement_agency_id: Id | None = None
    properties: list[Property] | None = None
    parties: Parties | None = None
    progress: dict[str, _Milestone] | None = None
    activities: list[Activity] | None = None


class Agency(SourceModel):
    """One settlement agency."""

    id: Id = Field(alias="_id")
    name: str | None = None


class User(SourceModel):
    """One user of the organisation."""

    user_id: Id
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None


MODELS: dict[str, type[SourceModel]] = {"orders": Order, "agencies": Agency, "users": User}
