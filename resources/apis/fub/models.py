"""What we depend on in Follow Up Boss records. Sources: the vendor's reference pages and OpenAPI text.

Every field that a merge casts or joins by is typed. The wobble that clients report (0/1 for booleans, an empty list
for an object, numbers as text) is read by the kinds of fields and straightened in the tables' selects.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from resources.apis.fields import (
    LARGEST,
    BareAmount,
    Flag,
    Instant,
    Reference,
    Rows,
    Whole,
    Words,
    flag_of,
    instant_of,
    lenient,
    rows_of,
    whole_of,
)
from resources.apis.records import SourceModel

Id = Annotated[int, Field(ge=1, le=LARGEST)]


def _stamp(value: Any) -> Any:
    """Follow Up Boss writes ISO text; a number here would be of an answer that we do not know."""
    if isinstance(value, int | float):
        raise ValueError("no ISO 8601 instant")  # noqa: TRY004 - pydantic makes a refusal of ValueErrors only
    return instant_of(value)


#: When a record was made or changed, as the cursors need it.
Stamp = Annotated[Any, BeforeValidator(_stamp)]
#: A flag; some accounts count.
FlagOrCount = Annotated[Any, lenient(lambda value: flag_of(value) if isinstance(value, bool) else whole_of(value))]


class Part(SourceModel):
    """A mail address or telephone number of a contact: the primary one comes first."""

    isPrimary: Flag = None


class Somebody(SourceModel):
    """A contact or user of a deal."""

    id: Reference = None


class Invitee(SourceModel):
    """A contact or user at an appointment."""

    personId: Reference = None
    userId: Reference = None


Parts = Annotated[list[Part] | None, lenient(rows_of)]


class Holder(SourceModel):
    """The user whose key it is."""

    id: Whole = None


class Account(SourceModel):
    """GET /identity."""

    account: dict[str, Any]
    user: Holder


class User(SourceModel):
    """GET /users."""

    id: Id
    created: Stamp = None
    updated: Stamp = None
    isOwner: Flag = None


class Named(SourceModel):
    """Groups, stages and pipelines."""

    id: Id
    orderWeight: Whole = None
    peopleCount: Whole = None
    isProtected: Flag = None
    isPrimary: Flag = None
    defaultUserId: Whole = None
    defaultPondId: Whole = None
    defaultGroupId: Whole = None
    claimWindow: Whole = None


class Person(SourceModel):
    """GET /people."""

    id: Id
    created: Stamp = None
    updated: Stamp = None
    stageId: Reference = None
    assignedUserId: Reference = None
    price: BareAmount = None
    dealPrice: BareAmount = None
    lastActivity: Instant = None
    dealCloseDate: Instant = None
    contacted: FlagOrCount = None
    websiteVisits: Whole = None
    claimed: Flag = None
    tags: Words = None
    emails: Parts = None
    phones: Parts = None
    addresses: Rows = None


class Deal(SourceModel):
    """GET /deals: createdAt in place of created, and no stamp of change."""

    id: Id
    createdAt: Stamp = None
    pipelineId: Reference = None
    people: list[Somebody] | None = None
    users: list[Somebody] | None = None
    price: BareAmount = None
    commissionValue: BareAmount = None
    agentCommission: BareAmount = None
    teamCommission: BareAmount = None
    stageId: Whole = None
    enteredStageAt: Instant = None
    projectedCloseDate: Instant = None


class Event(SourceModel):
    """GET /events."""

    id: Id
    created: Stamp = None
    updated: Stamp = None
    personId: Reference = None
    occurred: Instant = None
    occurredAt: Instant = None


class Call(SourceModel):
    """GET /calls: personId 0 is an unknown caller."""

    id: Id
    created: Stamp = None
    updated: Stamp = None
    personId: Reference = None
    userId: Reference = None
    duration: Whole = None
    isIncoming: Flag = None
    createdById: Whole = None
    updatedById: Whole = None


class Appointment(SourceModel):
    """GET /appointments."""

    id: Id
    created: Stamp = None
    updated: Stamp = None
    invitees: list[Invitee] | None = None
    start: Instant = None
    end: Instant = None
    allDay: Flag = None
    originFub: Flag = None
    createdById: Whole = None
    updatedById: Whole = None


class TextMessage(SourceModel):
    """GET /textMessages."""

    id: Id
    created: Stamp = None
    updated: Stamp = None
    personId: Reference = None
    userId: Reference = None
    sent: Instant = None
    isIncoming: Flag = None
    archived: Flag = None
    read: Flag = None


MODELS: dict[str, type[SourceModel]] = {
    "accounts": Account,
    "users": User,
    "groups": Named,
    "stages": Named,
    "pipelines": Named,
    "people": Person,
    "deals": Deal,
    "events": Event,
    "calls": Call,
    "appointments": Appointment,
    "text_messages": TextMessage,
}
