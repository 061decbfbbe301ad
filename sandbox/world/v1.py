"""V1, the old product: an older and lossy copy of the world in tables of its own, with numbers of its own.

It lacks a part of what the living systems have, has deals that they never had, writes words where they write codes,
and keeps what no API tells (roles, settings, tags, pictures, the money of closings). Nobody uses it any more, so it
does not move with the world. All dice are this module's own.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.world import v1_crm
from sandbox.world.model import Key, Row, agent_of, millis
from sandbox.world.names import FIRST, LAST, STREETS, US_TOWNS
from sandbox.world.title import amount_of

if TYPE_CHECKING:
    from sandbox.world.world import World

#: Part of the living deals that V1 also has, and how many it alone has per product user.
KNOWN, ITS_OWN = 0.25, 6
DISBURSEMENTS = 4

#: What its tables are called, as people call tables.
NAMES = {
    "title_agencies": "title - settlement agencies",
    "title_users": "title - users",
    "title_orders": "🏠 title - orders",
    "title_events": "title - event",
    "title_disbursements": "title - disbursements",
    "title_closing_items": "title - closing items",
    "closing_disclosure": "closing disclosure",
}
#: Tables that nobody asks for; with them the list is longer than one page.
OTHERS = 70


@dataclass(slots=True)
class V1:
    """The old product's tables by what they hold, each a dict by id; `ids` are the tables' own numbers."""

    dice: random.Random
    workspace: int = 1
    name: str = "V1"
    token: str = ""
    owner: int = 7
    tables: dict[str, dict[int, Row]] = field(default_factory=dict)
    ids: dict[int, str] = field(default_factory=dict)
    titles: dict[int, str] = field(default_factory=dict)

    @property
    def logins(self) -> dict[str, int]:
        """Tokens of V1's endpoints, each with the number of its user."""
        return {f"{self.token}.{number:x}": number for number in self.tables["user"]}

    def add(self, table: str, created: datetime, **columns: Any) -> Row:
        """A new row. Numbers have gaps, as after deletions."""
        rows = self.tables.setdefault(table, {})
        number = next(reversed(rows), 100) + self.dice.choice((1, 1, 1, 2, 5))
        rows[number] = {"id": number, "created_at": millis(created), **columns}
        return rows[number]


def build(world: World) -> V1:
    """The old product's tables, and the token of the one user who may read them."""
    v1 = V1(random.Random(f"{world.seed}/v1"))
    v1.token = f"xano_{v1.dice.getrandbits(128):032x}"
    world.users[0].connections["xano"] = Key(v1.token, "", str(v1.workspace), str(v1.owner))
    long_ago = world.start - timedelta(days=900)
    agents = _agents(world, v1, long_ago)
    teams = _teams(world, v1, agents, long_ago)
    users = _users(world, v1, agents, teams, long_ago)
    deals = _deals(world, v1, agents, users)
    _title(world, v1, users, deals)
    _network(world, v1, agents, users)
    v1_crm.build(world, v1, users)
    for rows in v1.tables.values():
        columns = dict.fromkeys(column for row in rows.values() for column in row)
        rows.update({number: {**columns, **row} for number, row in rows.items()})  # all of a table's rows have them all
    for number, table in enumerate([*v1.tables, *(f"log {n}" for n in range(OTHERS))], 30):
        v1.ids[number], v1.titles[number] = table, NAMES.get(table, table)
    return v1


def _agents(world: World, v1: V1, then: datetime) -> dict[str, int]:
    """Nine of ten of the brokerage's agents, and three who left before the living systems began."""
    known: dict[str, int] = {}
    for agent_id, agent in world.brokerage.agents.items():
        if v1.dice.random() < 0.9 or agent_id in {user.agent_id for user in world.users}:
            known[agent_id] = _agent(v1, then, agent_id, agent["firstName"], agent["lastName"], agent["agentStatus"])
    for number in range(3):
        first, last = FIRST[-1 - number], LAST[-1 - number]
        raw = None if number == 0 else f"v1-agent-{number}"
        known[raw or "unnamed"] = _agent(v1, then, raw, first, last, "Inactive")
    return known


def _agent(v1: V1, then: datetime, raw: str | None, first: str, last: str, status: str) -> int:
    row = v1.add(
        "agent",
        then,
        agent_id_raw=raw,
        display_name=f"{first} {last}",
        first_name=first,
        last_name=last,
        email=f"{first}.{last}@old.example.test".lower(),
        phone=None,
        agent_status=status,
        city=v1.dice.choice(US_TOWNS)[0],
        join_date="2019-04-01",
        real_agent=True,
        is_demo=False,
        user_id=0,
        team_id=0,
        api_key=f"real_{v1.dice.getrandbits(64):016x}",
        google_oauth={"refresh_token": "r"},
    )
    return row["id"]


def _teams(world: World, v1: V1, agents: dict[str, int], then: datetime) -> list[int]:
    ids = []
    for team_id, team in world.brokerage.teams.items():
        owner = agents.get(agent_of(world.brokerage.rosters[team_id][0]), 0)
        row = v1.add("team", then, team_id_raw=team_id, team_name=team["name"], team_type=team["type"].title(),
                     status="Active", active=True, max_teammates=20, team_owner_agent_id=owner)  # fmt: skip
        ids.append(row["id"])
    row = v1.add("team", then, team_id_raw="v1-team", team_name="Old Mill", team_type="NORMAL", status="INACTIVE",
                 active=False, team_owner_agent_id=agents["v1-agent-1"])  # fmt: skip
    ids.append(row["id"])
    held = [agents["v1-agent-1"], agents["v1-agent-2"], agents["unnamed"]]
    director = v1.add("director", then, team_id=ids[-1], agent_id=held[0], effective_start_date="2020-01-01",
                      assigned_on="2019-12-20", unassigned_on=None, status="Current", active=True)  # fmt: skip
    v1.add("leader", then, team_id=ids[-1], agent_id=held[1], effective_start_date="2020-02-01", training=False,
           percentage=12.5, director_id=director["id"], status="Current", active=True)  # fmt: skip
    v1.add("mentor", then, team_id=ids[-1], agent_id=held[2], effective_start_date="2021-01-01",
           unassigned_on="2022-01-01", status="Past", active=False)  # fmt: skip
    return ids


def _users(world: World, v1: V1, agents: dict[str, int], teams: list[int], then: datetime) -> list[int]:
    people = [(user.email, user.name, agents[user.agent_id]) for user in world.users]
    people.append(("gone@example.test", "Gone Before", agents["v1-agent-1"]))
    ids = []
    for number, (email, name, agent) in enumerate(people):
        first, _, last = name.partition(" ")
        row = v1.add(
            "user",
            then,
            email=email.upper() if number == 1 else email,
            first_name=first,
            last_name=last,
            full_name=name,
            cell_phone=f"555010{number}",
            active=True,
            demo_account=False,
            last_login=millis(then) if number else 0,
            agent_id=agent,
            team_id=teams[number % len(teams)] if number % 2 else 0,
            # What V1 gives away with the rest, to see that it is dropped.
            password="$2b$12$" + "x" * 53,
            magic_link={"token": "t"},
        )
        v1.tables["agent"][agent]["user_id"] = row["id"]
        v1.add("user_roles", then, user_id=row["id"], role="Agent", account_type="Team", is_agent=True,
               is_on_team=bool(number % 2), is_team_owner=number == 0, team_id=row["team_id"], director_id=0,
               leader_id=0, mentor_id=next(iter(v1.tables["mentor"])) if number == 0 else 0)  # fmt: skip
        v1.add("user_settings", then, user_id=row["id"], view="team", daily_dash_transactions=True,
               daily_dash_listings=False, network_news_weekly=bool(number % 2))  # fmt: skip
        v1.add("user_subscriptions", then, user_id=row["id"], subscription_type="Pro", paid=True,
               payment_complete=number != 2, stripe_product_id="prod_1", stripe_price_id="price_1",
               subscription_packages_id=3)  # fmt: skip
        ids.append(row["id"])
    return ids


def _deals(world: World, v1: V1, agents: dict[str, int], users: list[int]) -> dict[str, int]:
    """Living deals as they were when V1 last looked, and deals that only V1 has. Returns deals by their raw id."""
    dice, brokerage = v1.dice, world.brokerage
    owner_of = {user.agent_id: number for user, number in zip(world.users, users, strict=False)}
    listings: dict[str, int] = {}
    deals: dict[str, int] = {}
    for deal in brokerage.deals.values():
        if dice.random() >= KNOWN or deal["_owner"] not in agents:
            continue
        created = world.start - timedelta(days=600)
        line = (deal["address"] or {}).get("oneLine")
        common = {"address": line, "currency": deal["currency"], "team_id": 0,
                  "transaction_owner_agent_id": agents[deal["_owner"]], "user_id": owner_of.get(deal["_owner"], 0),
                  "status": "Pending", "closed": False, "terminated": False}  # fmt: skip
        if deal["listing"]:
            row = v1.add("listing", created, listing_id_raw=deal["id"], list_price=amount_of(deal["price"]), **common)
            listings[deal["id"]] = row["id"]
        else:
            row = v1.add("transaction", created, transaction_id_raw=deal["id"], sale_price=amount_of(deal["price"]),
                         listing_id=listings.get(str(deal.get("builtFromTransactionId")), 0),
                         transaction_type=deal["transactionType"], updated_at=millis(created), **common)  # fmt: skip
            deals[deal["id"]] = row["id"]
            _person(v1, created, row["id"], "Buyer")
        if dice.random() < 0.3:
            _beside(v1, created, deal["listing"], row["id"])
    for number in range(ITS_OWN * len(world.users)):
        deals |= _own_deal(world, v1, number, agents, users)
    return deals


def _own_deal(world: World, v1: V1, number: int, agents: dict[str, int], users: list[int]) -> dict[str, int]:
    dice = v1.dice
    closed = world.start - timedelta(days=1000 + dice.randint(0, 900))
    city, short, _, code, _ = dice.choice(US_TOWNS)
    line = f"{9000 + number} {dice.choice(STREETS)}, {city}, {short} {code}"
    user = number % len(users)
    common = {"address": line, "currency": "USD", "user_id": users[user], "closed": True, "terminated": False,
              "transaction_owner_agent_id": v1.tables["user"][users[user]]["agent_id"]}  # fmt: skip
    price = dice.randint(120, 900) * 1000 + 0.5
    listing = 0
    if number % 3 == 0:
        listing = v1.add("listing", closed, listing_id_raw=f"v1-listing-{number}", status="Closed", list_price=price,
                         listing_date=(closed - timedelta(days=60)).strftime("%Y-%m-%d"), closed_at=millis(closed),
                         property_type="Residential", mls_number=f"OLD{number}", team_id=0, **common)["id"]  # fmt: skip
        _beside(v1, closed, True, listing)
    raw = None if number == 1 else f"v1-deal-{number}"
    row = v1.add("transaction", closed, updated_at=millis(closed), transaction_id_raw=raw, status="Closed",
                 transaction_type="Sale", stage="Settled", lifecycle_state="Settled", property_type="Residential",
                 representation="BUYER", sale_price=price, list_price=price, gross_commission=round(price * 0.03, 2),
                 net_payout=round(price * 0.02, 2), closing_date=closed.strftime("%Y-%m-%d"), contract_date="",
                 mls_num=f"OLD{number}", listing_id=listing, team_id=0, **common)  # fmt: skip
    for role in ("Buyer", "SELLER", "Buyers Agent"):
        _person(v1, closed, row["id"], role, row["transaction_owner_agent_id"] if role == "Buyers Agent" else 0)
    _beside(v1, closed, False, row["id"])
    return {raw or f"v1:{row['id']}": row["id"]}


def _person(v1: V1, then: datetime, deal: int, role: str, agent: int = 0) -> None:
    first, last = v1.dice.choice(FIRST), v1.dice.choice(LAST)
    v1.add("participant", then, participant_id_raw=None, transaction_id=deal, listing_id=0, agent_id=agent, user_id=0,
           role=role, status="ACCEPTED", first_name=first, last_name=last, email=None, external=agent == 0,
           commission_split=50 if agent else None, gross_commission=9000.25 if agent else None,
           currency="USD" if agent else None, paid=bool(agent), paid_at=millis(then) if agent else 0)  # fmt: skip


def _beside(v1: V1, then: datetime, listing: bool, number: int) -> None:
    """A tag, or a picture."""
    if listing:
        v1.add("listing_photos", then, listing_id=number, url=f"https://example.test/photo/{number}.jpg",
               caption="Front", display_order=1)  # fmt: skip
    else:
        v1.add("transaction_tags", then, transaction_id=number, tag=v1.dice.choice(("luxury", "probate", "relocation")))


def _title(world: World, v1: V1, users: list[int], deals: dict[str, int]) -> None:
    """Orders of the title system, some that only V1 has, and the money of all of them."""
    dice, then = v1.dice, world.start - timedelta(days=500)
    agencies: dict[str, int] = {}
    for agency in world.title.agencies:
        agencies[agency["_id"]] = v1.add("title_agencies", then, agency_id_raw=agency["_id"], name=agency["name"],
                                         states=agency["_states"])["id"]  # fmt: skip
    v1.add("title_agencies", then, agency_id_raw="v1-agency", name="Closed Doors Title", states=["UT"])
    for organisation in world.title.organisations.values():
        for user in organisation.users[:2]:
            v1.add("title_users", then, title_user_id_raw=user["user_id"], first_name=user["first_name"],
                   last_name=user["last_name"], email=user["email"])  # fmt: skip
        for order in organisation.orders.values():
            if dice.random() < 0.8:
                row = v1.add("title_orders", then, order_id_raw=order["_id"], order_number=order["order_number"],
                             status=order["status"], agency_id=agencies[order["settlement_agency_id"]],
                             purchase_price=None, user_id=0)  # fmt: skip
                _closing(v1, then, row["id"], deals.get(order["_deal"] or "", 0))
    for number in range(4):
        row = v1.add("title_orders", then, order_id_raw=f"v1-order-{number}", order_number=f"19-{number:05d}",
                     status="Closed", agency_id=next(iter(agencies.values()), 0), purchase_price=250000.5,
                     close_date=millis(then), property_address=f"{number + 1} Tern Row, Provo, UT 84601",
                     user_id=users[number % len(users)])  # fmt: skip
        v1.add("title_events", then, order_id=row["id"], event_key="milestone/order_accepted", kind="milestone",
               name="order_accepted", complete=True, occurred_at=millis(then))  # fmt: skip
        _closing(v1, then, row["id"], 0)


def _closing(v1: V1, then: datetime, order: int, deal: int) -> None:
    for number in range(v1.dice.randint(1, DISBURSEMENTS)):
        v1.add("title_disbursements", then, disbursement_id_raw=f"d-{order}-{number}", order_id=order,
               amount=v1.dice.choice((125.75, 1800, "2,450.10", -50)), currency="USD", payee="Sample Payee",
               payment_method=v1.dice.choice(("wire", "check")), disbursed_on=then.strftime("%Y-%m-%d"),
               bank_account_number="000123456789")  # fmt: skip
    v1.add("title_closing_items", then, closing_item_id_raw=f"c-{order}", order_id=order, name="Wire instructions",
           complete=True, completed_at=millis(then))  # fmt: skip
    v1.add("closing_disclosure", then, closing_disclosure_id_raw=f"cd-{order}", order_id=order, section="H",
           line_number="03", buyer_amount=10.5, amount=10.5, currency="USD", transaction_id=deal)  # fmt: skip


def _network(world: World, v1: V1, agents: dict[str, int], users: list[int]) -> None:
    """Contributions and changes from before the living systems kept them."""
    for number, user in enumerate(world.users):
        then = world.start - timedelta(days=1200 + number)
        mine, other = agents[user.agent_id], agents["v1-agent-1"]
        for tier in (1, 2):
            v1.add("contribution", then, contribution_id_raw=f"v1-c-{number}-{tier}", amount=12.5, currency="USD",
                   contribution_type="Revenue Share", status="PAID", contribution_date=then.strftime("%Y-%m-%d"),
                   tier=tier, missed=False, user_id=users[number], agent_id=mine, transaction_id=0,
                   contributing_agent_id=other, receiving_agent_id=mine)  # fmt: skip
        v1.add("network_change_log", then, network_id_raw=f"{user.agent_id}-v1-agent-1-1", type="New to Network",
               value_old="", value_new="Active", tier=1, downline_agent_id_raw="v1-agent-1", user_id=users[number],
               agent_id=mine)  # fmt: skip
