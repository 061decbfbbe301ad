"""The brokerage's people at the world's start: agents, teams with rosters, sponsor chains, caps.

Where two spellings of one fact were seen at the real service, both occur here.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sandbox.world.model import ProductUser, Row, millis
from sandbox.world.names import FIRST, LAST

if TYPE_CHECKING:
    from sandbox.world.world import World

_LINKS = (
    "personalWebsiteURL", "facebookURL", "youtubeURL", "twitterURL", "instagramURL", "clubhouseURL", "linkedInURL",
    "zillowURL", "yelpURL", "googleBusinessProfileURL",
)  # fmt: skip


def build(world: World) -> None:
    """Fills the brokerage's people, and world.users."""
    brokerage, products = world.brokerage, sum(world.scale.seats)
    for number in range(products + world.scale.other_agents):
        agent = an_agent(world, number, of_product=number < products)
        brokerage.agents[agent["id"]] = agent
    ids = list(brokerage.agents)
    for number, agent_id in enumerate(ids[:products], 1):
        agent = brokerage.agents[agent_id]
        key = f"real_{world.dice.getrandbits(96):024x}"
        brokerage.keys[key] = agent_id
        world.users.append(ProductUser(f"user{number}@example.test", agent["fullName"], 0, 0, "", agent_id, key))
    _teams(world, ids)
    others = ids[products:]
    for number, agent_id in enumerate(ids[:products]):
        brokerage.sponsors[agent_id] = _chain(world, [others[(number + i) % len(others)] for i in range(4)])
        brokerage.caps[agent_id] = a_cap(world, agent_id, bare=number % 2 == 1)


def an_agent(world: World, number: int, *, of_product: bool) -> Row:
    """An agent's profile with the 44 keys that were seen; '' and null both mean nothing."""
    dice = world.dice
    first, last = FIRST[number % len(FIRST)], LAST[(number * 7) % len(LAST)]
    joined = world.past(1500)
    # One of the product's users is known to the brokerage under another address, as happens.
    mail = f"user{number + 1}@example.test" if of_product and number != 1 else f"agent{number}@example.test"
    return {
        "id": world.id(),
        "type": "AGENT",
        "firstName": first,
        "middleName": dice.choice(["", None, "M"]),
        "lastName": last,
        "fullName": f"{first} {last}",
        "emailAddress": mail.capitalize() if number == 2 else mail,
        "phoneNumber": f"1555{number:07d}" if number % 9 else f"555{number:07d}",
        "keyMakerId": world.id(),
        "agentStatus": "INACTIVE" if number % 8 == 7 and not of_product else "ACTIVE",
        "agentAccountCountry": "CANADA" if number % 5 == 4 else "UNITED_STATES",
        "createdAt": millis(joined),
        "updatedAt": millis(world.past(30)),
        "joinDate": joined.strftime("%Y-%m-%d"),
        "anniversaryDate": "2024-02-29" if number == 3 else joined.strftime("%Y-%m-%d"),
        "lastAnniversaryDate": joined.strftime("%Y-%m-%d"),
        "nextAnniversaryDate": (joined + timedelta(days=1826)).strftime("%Y-%m-%d"),
        "title": dice.choice(["", None, "Realtor"]),
        "about": dice.choice(["", None, "Knows every street."]),
        "avatar": None if number % 3 else "https://example.test/a.png",
        "birthDate": None if number % 4 == 0 else "1980-05-17",
        "skySlopeId": None,
        "skySlopePublicId": None,
        "paymentInstructions": None,
        **dict.fromkeys(_LINKS, None if number % 6 else ""),
        "voiceVectorDisclaimerAcceptedAt": None,
        "divisions": [],
        "administrativeAreaIds": [world.id()],
        "msdxVendors": None if number % 9 == 0 else [],
        "optedIntoSms": bool(number % 2),
        "company": None,
        "availability": None,
        "tipaltiId": None,
        "qualiaConnectUserId": None,
        "leoPhone": None,
    }


def _teams(world: World, ids: list[str]) -> None:
    brokerage = world.brokerage
    # The third agent is on both teams.
    sizes = (("North Shore", "PRO", ids[:3] + ids[8:20]), ("Harbor Group ⚓", "GROUP", ids[2:5] + ids[18:30]))
    for name, kind, members in sizes:
        team_id = world.id()
        brokerage.teams[team_id] = {
            "id": team_id,
            "name": name,
            "type": kind,
            "status": "ACTIVE",
            "country": "UNITED_STATES",
            "createdAt": millis(world.past(900)),
            "updatedAt": millis(world.past(20)),
            "config": {
                "commissionPlanId": world.id(),
                "country": "UNITED_STATES",
                "teamType": kind,
                "name": name,
                "minTeammates": 1,
                "maxTeammates": 50,
                "minLeaders": 1,
                "maxLeaders": 2,
                "paymentDetailsVisibility": "LEADERS",
                "leaderSplitConfig": {"enforceSplits": False, "minSplitPercent": 0.0},
                "realCapConfig": {"leaderCap": 12000.0, "excludedMemberCaps": []},
            },
            "teamInvitations": [{"id": world.id(), "invitationStatus": "EMAILED"}],
            "pendingGenericTeamApplications": [],
            "flex": False,
            "instantPaymentEligible": kind == "PRO",
            "paidAtClosing": False,
            "memberCommissionSplit": 50.0,
            "maxMemberCommissionSplit": 100.0,
        }
        brokerage.rosters[team_id] = [
            a_seat(world, agent, "LEADER" if i == 0 else "ADMIN" if i == 1 else "MEMBER", i)
            for i, agent in enumerate(members)
        ]


def a_seat(world: World, agent_id: str, role: str, number: int) -> Row:
    """A roster row: its id is not the agent's, a split of 0 is a real split, and a sixth of the rows is flat."""
    row: Row = {
        "id": world.id(),
        "roles": [role],
        "flexRoles": [],
        "memberCommissionSplit": (50.0, 75.0, 100.0, 0.0, 40.0)[number % 5],
        "realCap": 12000.0 if number % 10 == 0 else 6000.0,
        "leaderSplit": 20.0 if number == 5 else None,
        "leaderFeeSplits": [{"feeType": "TRANSACTION_FEE", "percent": 50.0}] if number == 5 else [],
        "teammateLeaderSplits": [],
        "teammateFeeSplits": [],
        "invitationStatus": None,
    }
    agent = world.brokerage.agents[agent_id]
    return row | {"agent": agent} if number % 6 else row | {**agent, "id": row["id"], "yentaId": agent_id}


def _chain(world: World, sponsors: list[str]) -> list[Row]:
    """Sponsors by level; the first two share a level, as sponsorship can be shared."""
    agents = world.brokerage.agents
    return [
        {
            "id": sponsor,
            "firstName": agents[sponsor]["firstName"],
            "lastName": agents[sponsor]["lastName"],
            "level": max(1, level),
            "status": agents[sponsor]["agentStatus"],
        }
        for level, sponsor in enumerate(sponsors)
    ]


def a_cap(world: World, agent_id: str, *, bare: bool) -> Row:
    """Cap info, whose schema nobody published: amounts as objects or as bare numbers, null for what does not apply."""
    paid = round(world.dice.uniform(0, 12000), 2)

    def amount(value: float) -> Any:
        return value if bare else {"amount": value, "currency": "USD"}

    return {
        "agentId": agent_id,
        "brokerageCapAmount": amount(12000.0),
        "brokerageCapAmountPaid": amount(paid),
        "teamCapAmount": None,
        "teamCapAmountPaid": None,
        "capped": False,
        "nextAnniversaryDate": world.brokerage.agents[agent_id]["nextAnniversaryDate"],
    }
