"""What an event tells us to do: read some records again, read a small list again, nothing, or ask a person.

An event is never believed about the record itself: it says where to look. Pure functions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import orjson

Kind = Literal["records", "list", "nothing", "unknown"]


@dataclass(frozen=True, slots=True)
class Meaning:
    """What to do. `deleted`: the source says that the records are gone, so their absence needs no second witness.

    `records`: read `ids` of `entity` again; `list`: read all of `entity`, which is small; `nothing`: it tells of what
    we do not keep; `unknown`: a name or a form that we have not met.
    """

    kind: Kind
    entity: str = ""
    ids: tuple[str, ...] = ()
    deleted: bool = False


NOTHING, UNKNOWN = Meaning("nothing"), Meaning("unknown")

_CHANGES = ("Created", "Updated", "Deleted")
#: Follow Up Boss: the families whose records we keep, by the beginning of the event's name (its webhooks guide).
_FUB_RECORDS = {
    "people": "people",
    "deals": "deals",
    "calls": "calls",
    "appointments": "appointments",
    "textMessages": "text_messages",
    "events": "events",
}
#: Definitions: a change of one moves its neighbours, and each has few, so the whole list is read.
_FUB_LISTS = {"stage": "stages", "pipeline": "pipelines", "pipelineStage": "pipelines"}
_FUB_NOT_KEPT = (
    *("notes", "emails", "tasks", "peopleRelationship", "customFields", "dealCustomFields"),
    *("reaction", "threadedReply"),
)
#: These have names of their own.
FUB_EVENTS: dict[str, tuple[Kind, str]] = {
    **{f"{family}{change}": ("records", entity) for family, entity in _FUB_RECORDS.items() for change in _CHANGES},
    "peopleTagsCreated": ("records", "people"),
    "peopleStageUpdated": ("records", "people"),
    **{f"{family}{change}": ("list", entity) for family, entity in _FUB_LISTS.items() for change in _CHANGES},
    **{f"{family}{change}": ("nothing", "") for family in _FUB_NOT_KEPT for change in _CHANGES},
    **{f"emEvents{what}": ("nothing", "") for what in ("Opened", "Clicked", "Unsubscribed")},
}
#: What we ask to be told: every event of what we keep that the guide names (of lead events only their creation).
FUB_WANTED = tuple(
    name
    for name, (kind, entity) in FUB_EVENTS.items()
    if kind != "nothing" and (entity != "events" or name == "eventsCreated")
)
_REZEN = {"TRANSACTION": "transactions", "LISTING": "listings"}
_REZEN_WHAT = ("CREATED", "UPDATED", "CLOSED", "TERMINATED")
#: It arrives when an address is registered.
_REZEN_TEST = "WEBHOOK_ENDPOINT_TEST_EVENT"
#: Of the Marketplace surface, the only one whose webhooks are described. All of them are about an order.
_TITLE = ("order_request", "order_cancelled", "order_completed", "order_revision_requested", "message", "documents")


def meaning(source: str, event: str, body: bytes) -> Meaning:
    """What to do about a stored event. The receiver has seen that the body is a JSON object."""
    document = orjson.loads(body)
    if source == "fub":
        return _fub(event, document)
    if source == "rezen":
        return _rezen(event, document)
    order = document.get("order_id")
    return Meaning("records", "orders", (order,)) if event in _TITLE and _is_id(order) else UNKNOWN


def _fub(event: str, document: dict[str, Any]) -> Meaning:
    if event not in FUB_EVENTS:
        return UNKNOWN
    kind, entity = FUB_EVENTS[event]
    if kind != "records":
        return Meaning(kind, entity)
    told = document.get("resourceIds")
    ids = tuple(dict.fromkeys(str(i) for i in told if isinstance(i, int) and i > 0)) if isinstance(told, list) else ()
    return Meaning("records", entity, ids, deleted=event.endswith("Deleted")) if ids else NOTHING


def _rezen(event: str, document: dict[str, Any]) -> Meaning:
    if event == _REZEN_TEST:
        return NOTHING
    kind, _, what = event.partition("_")
    held = document.get("rezenObject")
    identity = held.get("id") if isinstance(held, dict) else None
    if kind not in _REZEN or what not in _REZEN_WHAT or not _is_id(identity):
        return UNKNOWN
    return Meaning("records", _REZEN[kind], (str(identity),))


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 200 and value.isprintable()
