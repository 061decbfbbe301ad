"""What we depend on in title records. Source: public clients of Qualia's partner surface; no schema is published.

Only what a merge casts or joins by is typed. Amounts come as numbers or as text, blank or with thousand separators, and
are read by the tables' selects; milestones are open, unknown ones and null included.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from resources.apis.records import SourceModel, iso_instant

#: Ids are 17 letters and digits, upper and lower case differ; longer ones are let pass, nothing else is.
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


def _instant(value: Any) -> Any:
    if value is None or value == "":
        return None
    if iso_instant(value) is None:
        raise ValueError("no ISO date or instant")
    return value


#: ISO text: an instant, or a date alone. Kept as it came.
When = Annotated[str | None, BeforeValidator(_instant)]
Amount = int | float | str | None


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
    created_date: When = None
    description: str | None = None


class Order(SourceModel):
    """One title order of the partner surface."""

    id: Id = Field(alias="_id")
    order_number: str | None = None
    status: str | None = None
    open_date: When = None
    close_date: When = None
    cash_only: bool | None = None
    loan_amount: Amount = None
    purchase_price: Amount = None
    settlement_agency_id: Id | None = None
    properties: list[Property] | None = None
    parties: Parties | None = None
    progress: dict[str, Any] | None = None
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
