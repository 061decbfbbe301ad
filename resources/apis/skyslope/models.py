"""What we depend on in SkySlope's records. Sources: the vendor's samples and public clients; every list is open.

Times come without a zone and are read as UTC; the year 0001 means "not set" and is read as nothing by the selects.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from resources.apis.fields import BareAmount, Share, instant_of, lenient
from resources.apis.records import SourceModel

Guid = Annotated[str, Field(min_length=1, max_length=100)]


def _day(value: Any) -> Any:
    """The year 1 stands for a day that is not set."""
    return None if isinstance(value, str) and value.startswith("0001-") else instant_of(value)


Day = Annotated[Any, lenient(_day)]


class Commission(SourceModel):
    """What a file pays."""

    saleCommissionAmount: BareAmount = None
    listingCommissionAmount: BareAmount = None


class Split(SourceModel):
    """What a file pays to one agent."""

    amount: BareAmount = None
    percentage: Share = None


#: A commission that is no object tells no amount.
_Commission = Annotated[Commission | None, BeforeValidator(lambda value: value if isinstance(value, dict) else None)]


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
    commissionSplits: list[Split] | None = None
    commission: _Commission = None
    listingPrice: BareAmount = None
    listingDate: Day = None
    expirationDate: Day = None


class Sale(_File):
    """A sale file."""

    saleGuid: Guid
    buyers: list[dict[str, Any]] | None = None
    salePrice: BareAmount = None
    contractAcceptanceDate: Day = None
    contractAcceptedDate: Day = None
    actualClosingDate: Day = None
    escrowClosingDate: Day = None


class Listing(_File):
    """A listing file."""

    listingGuid: Guid


MODELS: dict[str, type[SourceModel]] = {
    "offices": Office,
    "users": User,
    "listings": Listing,
    "transactions": Sale,
}
