"""Whatever the order in which the CRM's records come, however often and however cut: V2 comes out the same."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from resources.postgres import Database
from tests.merge.arrival import RARELY, USERS, Arrival, arrivals, arrive, comes_to_the_same
from tests.merge.stage import NOON, Staged, enter_users
from v2_assets.schema.stage import STREAMS


def staged(entity: str, number: int, reader: int, minute: int | None, /, **payload: Any) -> Staged:
    stamp = None if minute is None else NOON + timedelta(minutes=minute)
    told = {} if stamp is None else {"updated": stamp.isoformat()}
    return Staged(
        f"stage_fub_{entity}", str(number), {"id": number, **told, **payload}, reader, f"fub/77/{reader}", stamp
    )


def account(user: int) -> Staged:
    identity = {"id": (14, 22)[user - 1], "isOwner": user == 2}
    return staged("accounts", 77, user, None, account={"id": 77, "domain": "harbor"}, user=identity)


def fub_user(number: int, minute: int, user: int) -> Staged:
    return staged("users", number, user, minute, name=f"{number} at {minute}", role="Agent", isOwner=number == 22)


def stage(number: int, user: int) -> Staged:
    return staged("stages", number, user, None, name=f"Stage {number}")


def pipeline(user: int) -> Staged:
    return staged("pipelines", 3, user, None, name="Buyers")


def person(number: int, minute: int, user: int) -> Staged:
    """The name stays: calls and events keep the name a contact had when they were merged."""
    return staged(
        "people",
        number,
        user,
        minute,
        name=f"Person {number}",
        stageId=(minute % 3) or None,
        assignedUserId=(14, 22, 30, 0)[minute % 4],
        price=minute * 1000,
        tags=[f"tag {minute}"],
        emails=[{"value": f"{minute}@example.test"}],
    )


def deal(number: int, user: int) -> Staged:
    people = [{"id": n} for n in range(1, number + 1)]
    return staged("deals", number, user, None, name=f"Deal {number}", pipelineId=3, people=people, users=[{"id": 14}])


def call(number: int, minute: int, user: int) -> Staged:
    return staged("calls", number, user, minute, personId=number % 3, userId=(14, 30)[number % 2], duration=minute)


def event(number: int, user: int) -> Staged:
    return staged("events", number, user, number, personId=number % 2 + 1, type="Inquiry")


def appointment(number: int, minute: int, user: int) -> Staged:
    guests = [{"personId": number, "userId": None}, {"userId": (14, 30)[number % 2]}]
    return staged("appointments", number, user, minute, title=f"At {minute}", invitees=guests[minute % 2 :])


def text(number: int, minute: int, user: int) -> Staged:
    return staged("text_messages", number, user, minute, personId=number, userId=(14, 22)[minute % 2], read=minute % 2)


users = st.sampled_from((1, 2))
minutes = st.integers(1, 4)
numbers = st.integers(1, 3)
records = st.one_of(
    st.builds(account, users),
    st.builds(fub_user, st.sampled_from((14, 22, 30)), minutes, users),
    st.builds(stage, st.integers(1, 2), users),
    st.builds(pipeline, users),
    st.builds(person, numbers, minutes, users),
    st.builds(person, numbers, minutes, users),
    st.builds(deal, st.integers(1, 2), users),
    st.builds(call, numbers, minutes, users),
    st.builds(event, numbers, users),
    st.builds(appointment, numbers, minutes, users),
    st.builds(text, numbers, minutes, users),
)
#: Without these everything would only wait.
KNOWN = [account(1), fub_user(14, 0, 1), fub_user(30, 0, 1), fub_user(22, 0, 2), stage(1, 1), stage(2, 2), pipeline(1)]


@RARELY
@given(arrival=arrivals(records, always=KNOWN))
def test_order_repetition_and_splitting_do_not_matter(database: Database, arrival: Arrival) -> None:
    comes_to_the_same(database, arrival)


def test_the_generated_worlds_reach_the_tables(database: Database) -> None:
    with database.connect() as connection:
        enter_users(connection, USERS)
    world = [*KNOWN, person(1, 1, 1), person(2, 2, 2), deal(1, 1), call(1, 1, 1), event(1, 2)]
    reached = arrive(database, [*world, appointment(1, 1, 1), text(1, 1, 1)], frozenset())
    assert {stream.primary for stream in STREAMS if stream.integration == "fub"} - reached.keys() == {"fub_groups"}
