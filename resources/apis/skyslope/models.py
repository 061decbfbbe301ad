"""What we depend on in SkySlope's records. Sources: the vendor's samples and public clients; every list is open.

Times come without a zone and are read as UTC; the year 0001 means "not set" and is read as nothing by the selects.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from resources.apis.records import SourceModel

Guid = Annotated[str, Field(min_length=1, max_length=100)]


class User(SourceModel):
    """An agent or somebody of the staff, active or not."""

    userGuid: Guid
    email: str | None = None


class Office(SourceModel):
    """An office; a list names its fields otherwise than a single answer."""


class _File(SourceModel):
    modifiedOn: str | None = None
    property: dict[str, Any] | None = None
    status: str | None = None
    sellers: list[dict[str, Any]] | None = None
    commissionSplits: list[dict[str, Any]] | None = None


class Sale(_File):
    """A sale file."""

    saleGuid: Guid
    buyers: list[dict[str, Any]] | None = None


class Listing(_File):
    """A listing file."""

    listingGuid: Guid


MODELS: dict[str, type[SourceModel]] = {
    "offices": Office,
    "users": User,
    "listings": Listing,
    "transactions": Sale,
}
