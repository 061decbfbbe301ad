"""Whatever the order in which title records and deals come: V2 comes out the same, and orders find the same deals.

Title records have no stamp of their own, so each is in one version here: of two versions the one read last counts.
"""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from resources.postgres import Database
from tests.merge.arrival import RARELY, Arrival, arrivals, comes_to_the_same
from tests.merge.stage import Staged

STREETS = ("1 Tern Row", "2 Mill Ln", "3 Alder Ave")
STATUSES = ("Open", "Closed", "Cancelled", "Parked")


def staged(entity: str, source_id: str, payload: dict[str, Any], user: int) -> Staged:
    return Staged(f"stage_title_{entity}", source_id, payload, user, f"title/org-1/{user}")


def order(number: int, user: int) -> Staged:
    """Orders of a place differ in price; some have two places, an agency that nobody else names, or an odd status."""
    places = [STREETS[number % 3], *([STREETS[0]] if number == 4 else [])]
    payload = {
        "_id": f"o-{number}",
        "status": STATUSES[number % 4],
        "orderer_id": f"Tu{number % 2 + 1}",
        "purchase_price": f"{100_000 + number * 900:,}",
        "close_date": f"2031-0{number + 1}-05",
        "settlement_agency_id": f"Ag{number % 3}",
        "settlement_agency_name": f"Name {number}",
        "properties": [
            {"address_line_1": s.upper(), "city": "Provo", "state": "UT", "zipcode": "84601"} for s in places
        ],
        "parties": {"listing_agents": [{"email": f"AGENT{number}@example.test"}]},
        "progress": {"order_accepted": {"complete": bool(number % 2), "completion_date": None}, "new_step": None},
        "activities": [{"activity_type": "note", "created_date": "2031-01-01", "description": str(number)}],
        "_v2": {"environment": "production"},
    }
    return staged("orders", f"o-{number}", payload, user)


def agency(number: int, user: int) -> Staged:
    payload = {
        "_id": f"Ag{number}",
        "name": f"Agency {number}",
        "_v2": {"states": ["UT", f"{'OR' if user == 1 else 'TX'}"]},
    }
    return staged("agencies", f"Ag{number}", payload, user)


def person(number: int, user: int) -> Staged:
    email = f"User{number}@example.test"
    return staged("users", f"Tu{number}", {"user_id": f"Tu{number}", "first_name": "A", "email": email}, user)


def deal(number: int, user: int) -> Staged:
    place = STREETS[number % 3]
    payload = {
        "id": f"d-{number}",
        "lifecycleState": {"state": "NEW"},
        "address": {"street": place, "city": "Provo", "state": "UTAH", "zip": "84601"},
        "price": 100_000 + number * 1000,
        "closingDateEstimated": f"2031-0{number + 1}-01",
        "agentsInfo": {"ownerAgent": [{"yentaId": "a-1"}]},
        "participants": [
            {"id": f"p-{number}", "participantRole": "BUYERS_AGENT", "yentaId": "a-1",
             "emailAddress": f"agent{number}@example.test"}
        ],
        "updatedAt": 1_757_700_000_000,
    }  # fmt: skip
    return Staged("stage_rezen_transactions", f"d-{number}", payload, user, f"rezen/a-{user}/{user}")


USERS = st.sampled_from((1, 2))
RECORDS = st.one_of(
    st.builds(order, st.integers(0, 5), USERS),
    st.builds(deal, st.integers(0, 5), USERS),
    st.builds(agency, st.integers(0, 2), USERS),
    st.builds(person, st.integers(1, 3), USERS),
)


@settings(RARELY, max_examples=5)
@given(arrival=arrivals(RECORDS, always=[person(1, 1), person(2, 1), order(0, 1), deal(0, 1)]))
def test_title_records_come_to_the_same_in_any_order(database: Database, arrival: Arrival) -> None:
    comes_to_the_same(database, arrival)
