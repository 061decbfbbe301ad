"""What we depend on in Follow Up Boss records. Sources: the vendor's reference pages and OpenAPI text.

Only fields that a merge casts or joins by are typed. The wobble that clients report (0/1 for booleans, an empty list
for an object, numbers as text) is allowed here and straightened in the tables' selects.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from resources.apis.records import SourceModel, iso_instant

_LARGEST = 2**63 - 1
Id = Annotated[int, Field(ge=1, le=_LARGEST)]


def _empty_is_none(value: Any) -> Any:
    return None if value in ("", [], {}) else value


def _instant(value: Any) -> Any:
    if _empty_is_none(value) is None:
        return None
    then = iso_instant(value)
    if then is None:
        raise ValueError("no ISO 8601 instant")
    return then


#: 0 and -1 stand for "nobody" (an unknown caller, the system).
Reference = Annotated[Annotated[int, Field(ge=-1, le=_LARGEST)] | None, BeforeValidator(_empty_is_none)]
Instant = Annotated[datetime | None, BeforeValidator(_instant)]
Number = Annotated[float | None, BeforeValidator(_empty_is_none)]
Whole = Annotated[int | None, BeforeValidator(_empty_is_none)]
Rows = list[dict[str, Any]] | None


class Account(SourceModel):
    """GET /identity."""

    account: dict[str, Any]
    user: dict[str, Any]


class User(SourceModel):
    """GET /users."""

    id: Id
    name: str | None = None
    created: Instant = None
    updated: Instant = None


class Named(SourceModel):
    """Groups, stages and pipelines."""

    id: Id
    name: str | None = None
    orderWeight: Whole = None
    peopleCount: Whole = None


class Person(SourceModel):
    """GET /people."""

    id: Id
    created: Instant = None
    updated: Instant = None
    lastActivity: Instant = None
    stageId: Reference = None
    assignedUserId: Reference = None
    price: Number = None
    contacted: Whole = None
    tags: list[Any] | None = None
    emails: Rows = None
    phones: Rows = None
    addresses: Rows = None


class Deal(SourceModel):
    """GET /deals: createdAt in place of created, and no stamp of change."""

    id: Id
    createdAt: Instant = None
    enteredStageAt: Instant = None
    price: Number = None
    pipelineId: Reference = None
    stageId: Reference = None
    people: Rows = None
    users: Rows = None


class Event(SourceModel):
    """GET /events."""

    id: Id
    created: Instant = None
    updated: Instant = None
    personId: Reference = None


class Call(SourceModel):
    """GET /calls: personId 0 is an unknown caller."""

    id: Id
    created: Instant = None
    updated: Instant = None
    personId: Reference = None
    userId: Reference = None
    duration: Whole = None


class Appointment(SourceModel):
    """GET /appointments."""

    id: Id
    created: Instant = None
    updated: Instant = None
    start: Instant = None
    end: Instant = None
    invitees: Rows = None


class TextMessage(SourceModel):
    """GET /textMessages."""

    id: Id
    created: Instant = None
    updated: Instant = None
    sent: Instant = None
    personId: Reference = None
    userId: Reference = None


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
