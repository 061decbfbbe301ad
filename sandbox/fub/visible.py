"""Which record which key may see: an owner's key everything, an agent's silently less."""

from __future__ import annotations

from sandbox.world import FubAccount, FubUser, Row

#: Everybody sees these whole.
REFERENCE = frozenset({"users", "groups", "stages", "pipelines"})


def visible(account: FubAccount, user: FubUser, name: str, row: Row) -> bool:
    """Whether this user's key may see this record.

    Documented: an agent's key sees contacts assigned to the agent, and deals that name the agent as a user (so none
    without users), and everybody's key only those unclaimed leads that are offered to its user. That calls, texts and
    events follow their contact is our reading; nobody says it.
    """
    if name == "people" and not row["claimed"]:
        return account.offers.get(row["id"]) == user.id
    if name in REFERENCE or user.sees_all:
        return True
    if name == "people":
        return row["assignedUserId"] == user.id
    if name == "deals":
        return any(u["id"] == user.id for u in row["users"])
    if name == "appointments":
        return any(v["userId"] == user.id for v in row["invitees"])
    person = account.tables["people"].get(row["personId"])
    return visible(account, user, "people", person) if person else row.get("userId") == user.id
