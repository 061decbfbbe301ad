"""What we depend on in reZEN records. Sources: public clients and one captured roster; every list of values is open.

Every field that a merge casts or joins by is typed, under each of the names by which it comes.
"""

from __future__ import annotations

from typing import Any

from pydantic import model_validator

from resources.apis.fields import Amount, Flag, Instant, Share, Small, Stamp, TextId, Whole
from resources.apis.records import SourceModel


class _Profile(SourceModel):
    """What an agent's profile and a flat roster row share."""

    birthDate: Instant = None
    joinDate: Instant = None
    anniversaryDate: Instant = None


class Agent(_Profile):
    """An agent's profile."""

    id: TextId
    createdAt: Stamp = None
    updatedAt: Stamp = None
    teams: list[dict[str, Any]] | None = None


class LeaderSplits(SourceModel):
    """What leaders of a team may take."""

    enforceSplits: Flag = None
    minSplitPercent: Share = None


class TeamCap(SourceModel):
    """A team's own cap."""

    leaderCap: Amount = None


class TeamConfig(SourceModel):
    """The settings of a team."""

    maxTeammates: Whole = None
    maxLeaders: Whole = None
    leaderSplitConfig: LeaderSplits | None = None
    realCapConfig: TeamCap | None = None


class Team(SourceModel):
    """A team. Its roster is read by RosterRow."""

    id: TextId
    name: str | None = None
    createdAt: Stamp = None
    updatedAt: Stamp = None
    flex: Flag = None
    instantPaymentEligible: Flag = None
    paidAtClosing: Flag = None
    memberCommissionSplit: Share = None
    maxMemberCommissionSplit: Share = None
    config: TeamConfig | None = None


class RosterRow(_Profile):
    """One agent on one team; the person is nested under `agent` or flat."""

    roles: list[Any] | None = None
    agent: Agent | None = None
    updatedAt: Stamp = None
    leaderSplit: Share = None
    memberCommissionSplit: Share = None


class Payment(SourceModel):
    """What a deal pays to one of its people: an object, or the bare amount."""

    amount: Amount = None
    percent: Share = None

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, value: Any) -> Any:
        return value if isinstance(value, dict) else {"amount": value}


class Participant(SourceModel):
    """Somebody who takes part in a deal."""

    external: Flag = None
    paidByReal: Flag = None
    payment: Payment | None = None


class Split(SourceModel):
    """What a deal pays to one agent after all splits."""

    amount: Amount = None


class Deal(SourceModel):
    """A transaction or a listing: one kind of object, told apart by `listing`."""

    id: TextId
    listing: bool | None = None
    closed: bool | None = None
    terminated: bool | None = None
    createdAt: Stamp = None
    updatedAt: Stamp = None
    participants: list[Participant] | None = None
    paymentParticipants: list[dict[str, Any]] | None = None
    commissionSplits: list[Split] | None = None
    lifecycleState: dict[str, Any] | str | None = None
    price: Amount = None
    salePrice: Amount = None
    purchasePrice: Amount = None
    listingPrice: Amount = None
    grossCommission: Amount = None
    myNetPayout: Amount = None
    totalGci: Amount = None
    saleCommissionAmount: Amount = None
    listingCommissionAmount: Amount = None
    contractAcceptanceDate: Instant = None
    firmDate: Instant = None
    listingDate: Instant = None
    expirationDate: Instant = None
    listingExpirationDate: Instant = None
    closedAt: Instant = None
    rezenClosedAt: Instant = None
    skySlopeActualClosingDate: Instant = None
    closedDate: Instant = None
    closeDate: Instant = None
    closingDateActual: Instant = None
    closingDateEstimated: Instant = None
    skySlopeEscrowClosingDate: Instant = None
    closingDate: Instant = None
    estimatedClosingDate: Instant = None
    terminatedAt: Instant = None


class Sponsor(SourceModel):
    """One flattened sponsor."""

    id: TextId
    level: Whole = None


class Cap(SourceModel):
    """An agent's cap. The schema is not published, so nothing is required."""

    teamCapAmount: Amount = None
    teamCapAmountPaid: Amount = None
    brokerageCapAmount: Amount = None
    brokerageCapAmountPaid: Amount = None
    annualCap: Amount = None
    cap: Amount = None
    capped: Flag = None
    unlocked: Flag = None
    cappedAt: Instant = None
    nextAnniversaryDate: Instant = None
    sponsorProducingGracePeriodEnd: Instant = None
    deferredCapEndDate: Instant = None
    gracePeriodEnd: Instant = None


class Member(_Profile):
    """One agent in somebody's down-line or front line."""

    id: TextId
    updatedAt: Stamp = None
    capAmount: Amount = None
    capAmountPaid: Amount = None
    totalContribution: Amount = None
    sponsorSplit: Share = None
    split: Share = None
    sizeOfNetwork: Whole = None
    unlocking: Flag = None
    capped: Flag = None
    unlockingExpiry: Instant = None
    terminatedAsOf: Instant = None


class Earned(SourceModel):
    """A contribution, a pending one or a payment. The schemas are not published, so only what is cast is typed."""

    createdAt: Stamp = None
    updatedAt: Stamp = None
    amount: Amount = None
    payout: Amount = None
    payoutAmount: Amount = None
    paymentAmount: Amount = None
    totalPayout: Amount = None
    earnings: Amount = None
    tier: Small = None
    tierAtContribution: Small = None
    paidAt: Instant = None
    paymentDate: Instant = None
    contributionDate: Instant = None
    earnedAt: Instant = None
    closingDate: Instant = None
    estimatedClosingDate: Instant = None
    periodStart: Instant = None
    periodEnd: Instant = None


class EquityEntry(SourceModel):
    """One entry of an equity ledger, in the assumed shape of the adapter. Its kind and day are its key."""

    id: TextId
    updatedAt: Stamp = None
    entryDate: Stamp = None
    shares: Amount = None
    pricePerShare: Amount = None
    vestsOn: Instant = None
    expiresOn: Instant = None


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
