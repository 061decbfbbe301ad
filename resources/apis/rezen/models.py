"""What we depend on in reZEN records. Sources: public clients and one captured roster; every list of values is open.

Only fields that a merge casts or joins by are typed; amounts come in so many shapes that the tables' selects read them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from resources.apis.records import SourceModel, epoch_or_iso

Id = Annotated[str, Field(min_length=1, max_length=200)]


def _instant(value: Any) -> Any:
    if value is None or value == "":
        return None
    then = epoch_or_iso(value)
    if then is None:
        raise ValueError("neither epoch milliseconds nor an ISO instant")
    return then


#: Epoch milliseconds, as a number or as text; seconds and ISO text were seen too.
Instant = Annotated[datetime | None, BeforeValidator(_instant)]
Level = Annotated[int | None, BeforeValidator(lambda value: None if value == "" else value)]


class Agent(SourceModel):
    """An agent's profile."""

    id: Id
    createdAt: Instant = None
    updatedAt: Instant = None
    teams: list[dict[str, Any]] | None = None


class Team(SourceModel):
    """A team. Its roster is read by RosterRow."""

    id: Id
    name: str | None = None
    createdAt: Instant = None
    updatedAt: Instant = None
    config: dict[str, Any] | None = None


class RosterRow(SourceModel):
    """One agent on one team; the person is nested under `agent` or flat."""

    roles: list[Any] | None = None
    agent: Agent | None = None
    updatedAt: Instant = None


class Deal(SourceModel):
    """A transaction or a listing: one kind of object, told apart by `listing`."""

    id: Id
    listing: bool | None = None
    closed: bool | None = None
    terminated: bool | None = None
    createdAt: Instant = None
    updatedAt: Instant = None
    closedAt: Instant = None
    participants: list[dict[str, Any]] | None = None
    paymentParticipants: list[dict[str, Any]] | None = None
    commissionSplits: list[dict[str, Any]] | None = None
    lifecycleState: dict[str, Any] | str | None = None


class Sponsor(SourceModel):
    """One flattened sponsor."""

    id: Id
    level: Level = None


class Cap(SourceModel):
    """An agent's cap. The schema is not published, so nothing is required."""


class Member(SourceModel):
    """One agent in somebody's down-line or front line."""

    id: Id
    updatedAt: Instant = None


class Earned(SourceModel):
    """A contribution, a pending one or a payment. The schemas are not published, so only what is cast is typed."""

    createdAt: Instant = None
    updatedAt: Instant = None
    paidAt: Instant = None


class EquityEntry(SourceModel):
    """One entry of an equity ledger, in the assumed shape of the adapter."""

    id: Id
    updatedAt: Instant = None


MODELS: dict[str, type[SourceModel]] = {
    "agents": Agent,
    "teams": Team,
    "team_members": RosterRow,
    "transactions": Deal,
    "listings": Deal,
    "sponsor_tree": Sponsor,
    "cap_data": Cap,
    "network_downline": Member,
    "network_frontline": Member,
    "contributions": Earned,
    "pending_contributions": Earned,
    "revshare_payments": Earned,
    "equity": EquityEntry,
}
