"""The truth about the world, asked beside the systems: which records a key may see, and their stamps."""

from __future__ import annotations

from typing import Any

from sandbox.fub import visible
from sandbox.world import World
from sandbox.world.model import agent_of

#: The platform's names of collections, with the CRM's own.
FUB_ENTITIES = {
    "users": "users", "groups": "groups", "stages": "stages", "pipelines": "pipelines", "people": "people",
    "deals": "deals", "events": "events", "calls": "calls", "appointments": "appointments",
    "text_messages": "textMessages",
}  # fmt: skip
REZEN_ENTITIES = (
    "agents", "teams", "team_members", "transactions", "listings", "sponsor_tree", "cap_data", "network_downline",
    "network_frontline", "contributions", "pending_contributions", "revshare_payments", "equity",
)  # fmt: skip


def facts(world: World, system: str, entity: str, key: str) -> dict[str, Any] | None:
    """id → stamp (null where the source has none), hidden and deleted records included. None: unknown question."""
    if system == "fub":
        return _fub(world, entity, key)
    if system == "skyslope":
        return _skyslope(world, entity, key)
    if system == "title":
        return _title(world, entity, key)
    if system == "xano":
        rows = world.v1.tables.get(entity)
        return None if rows is None or key != world.v1.token else {str(n): r.get("updated_at") for n, r in rows.items()}
    return _rezen(world, entity, key) if system == "rezen" else None


def _fub(world: World, entity: str, key: str) -> dict[str, Any] | None:
    account = next((a for a in world.accounts.values() if key in a.keys), None)
    if account is None:
        return None
    if entity == "accounts":
        return {str(account.id): None}
    if entity not in FUB_ENTITIES:
        return None
    name, user = FUB_ENTITIES[entity], account.keys[key]
    rows = account.tables[name].values()
    return {str(row["id"]): row.get("updated") for row in rows if visible(account, user, name, row)}


def _rezen(world: World, entity: str, key: str) -> dict[str, Any] | None:
    brokerage = world.brokerage
    agent = brokerage.keys.get(key)
    if agent is None or entity not in REZEN_ENTITIES:
        return None
    mine = brokerage.teams_of(agent)
    if entity in ("transactions", "listings"):
        listing = entity == "listings"
        return {
            deal_id: deal["updatedAt"]
            for deal_id, deal in brokerage.deals.items()
            if deal["listing"] is listing and agent in brokerage.viewers[deal_id]
        }
    answers: dict[str, dict[str, Any]] = {
        "agents": {agent: brokerage.agents[agent]["updatedAt"]},
        "teams": {team["id"]: team["updatedAt"] for team in mine},
        "team_members": {f"{t['id']}:{agent_of(seat)}": None for t in mine for seat in brokerage.rosters[t["id"]]},
        "sponsor_tree": {f"{agent}:{sponsor['id']}": None for sponsor in brokerage.sponsors.get(agent, [])},
        "cap_data": {agent: None},
        "network_downline": {
            f"{agent}:{member}:{tier}": world.network.members[member].get("updatedAt")
            for tier, member in world.network.tiers(agent)
        },
        "network_frontline": {
            f"{agent}:{member}": world.network.members[member].get("updatedAt")
            for tier, member in world.network.tiers(agent)
            if tier == 1
        },
        **{name: dict.fromkeys(rows) for name, rows in _earnings(world, agent).items()},
    }
    return answers[entity]


def _earnings(world: World, agent: str) -> dict[str, Any]:
    earned = world.money.of[agent]
    return {
        "contributions": earned.contributions,
        "pending_contributions": earned.pending,
        "revshare_payments": earned.payments,
        "equity": earned.equity,
    }


def _skyslope(world: World, entity: str, key: str) -> dict[str, Any] | None:
    known = world.files.keys.get(key)
    if known is None:
        return None
    account = world.files.accounts[known[1]]
    answers: dict[str, dict[str, Any]] = {
        "offices": {office["officeGuid"]: None for office in account.offices},
        "users": {user["userGuid"]: None for user in account.users},
        "listings": {guid: f"{file['modifiedOn']}+00:00" for guid, file in account.listings.items()},
        "transactions": {guid: f"{file['modifiedOn']}+00:00" for guid, file in account.sales.items()},
    }
    return answers.get(entity)


def _title(world: World, entity: str, key: str) -> dict[str, Any] | None:
    """`key` is the user name. An agency is a fact where one of the organisation's orders could have gone to it."""
    known = world.title.keys.get(key)
    if known is None:
        return None
    organisation = world.title.organisations[known[1]]
    states = {place["state"] for order in organisation.orders.values() for place in order["properties"]}
    ids: dict[str, list[str]] = {
        "orders": list(organisation.orders),
        "users": [user["user_id"] for user in organisation.users],
        "agencies": [agency["_id"] for agency in world.title.agencies if states & set(agency["_states"])],
    }
    return dict.fromkeys(ids[entity]) if entity in ids else None
