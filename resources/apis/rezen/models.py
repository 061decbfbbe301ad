"""What we depend on in reZEN records. Sources: public clients and one captured roster; every list of values is open."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from resources.apis.records import SourceModel

Id = Annotated[str, Field(min_length=1)]
#: Epoch milliseconds, as a number or as text.
Millis = Annotated[int, Field(ge=0)] | None


class Agent(SourceModel):
    """An agent's profile."""

    id: Id
    createdAt: Millis = None
    updatedAt: Millis = None
    teams: list[dict[str, Any]] | None = None


class Team(SourceModel):
    """A team. Its roster is read by RosterRow."""

    id: Id
    name: str | None = None
    createdAt: Millis = None
    updatedAt: Millis = None
    config: dict[str, Any] | None = None


class RosterRow(SourceModel):
    """One agent on one team; the person is nested under `agent` or flat."""

    roles: list[Any] | None = None
    agent: dict[str, Any] | None = None
    memberCommissionSplit: float | None = None
    realCap: float | None = None
    leaderSplit: float | None = None


class Deal(SourceModel):
    """A transaction or a listing: one kind of object, told apart by `listing`."""

    id: Id
    listing: bool | None = None
    closed: bool | None = None
    terminated: bool | None = None
    createdAt: Millis = None
    updatedAt: Millis = None
    closedAt: Millis = None
    participants: list[dict[str, Any]] | None = None
    commissionSplits: list[dict[str, Any]] | None = None
    lifecycleState: dict[str, Any] | str | None = None


class Sponsor(SourceModel):
    """One flattened sponsor."""

    id: Id
    level: int | None = None


class Cap(SourceModel):
    """An agent's cap. The schema is not published, so nothing is required."""


MODELS: dict[str, type[SourceModel]] = {
    "agents": Agent,
    "teams": Team,
    "team_members": RosterRow,
    "transactions": Deal,
    "listings": Deal,
    "sponsor_tree": Sponsor,
    "cap_data": Cap,
}
