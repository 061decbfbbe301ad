"""Follow Up Boss endpoints as data. Sources: the vendor's reference pages on paging, limits and each resource."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from resources.http.endpoint import Endpoint

#: Documented limits per account and context, in calls per sliding 10 s: with a registered system key, and without one.
LIMITS: dict[str, tuple[int, int]] = {"global": (250, 125), "events": (20, 10)}
WINDOW_S = 10
#: From this offset on the API insists on `next` tokens and answers 400.
OFFSET_WALL = 2000

IDENTITY = Endpoint(name="GET /identity", path="/identity", why="whose key this is; the start-up check")
TEXTS = Endpoint(
    name="GET /textMessages",
    path="/textMessages",
    lists=("textmessages",),
    why="there is no list of all texts: asked for each contact",
)


class ListEndpoint(BaseModel):
    """How one collection is read whole, and how it is filtered by time where the server honours a filter.

    `filters` are tried in this order, each probed with a date in the future before it is trusted.
    """

    model_config = ConfigDict(frozen=True)

    endpoint: Endpoint
    params: tuple[tuple[str, str], ...] = ()
    filters: tuple[str, ...] = ()
    paging: Literal["token", "offset"] = "token"
    stamp: str = "updated"


def _list(path: str, why: str, *, context: str = "global") -> Endpoint:
    return Endpoint(name=f"GET {path}", path=path, lists=(path.strip("/").lower(),), context=context, why=why)


LISTS: dict[str, ListEndpoint] = {
    "users": ListEndpoint(
        endpoint=_list("/users", "deleted ones too: old records still name them"),
        params=(("includeDeleted", "true"),),
    ),
    "groups": ListEndpoint(endpoint=_list("/groups", "small; has no stamp of change")),
    "stages": ListEndpoint(endpoint=_list("/stages", "small; has no stamp of change")),
    "pipelines": ListEndpoint(endpoint=_list("/pipelines", "small; deal stages live in here")),
    "people": ListEndpoint(
        endpoint=_list("/people", "contacts; custom fields come only with allFields, the trash only when asked for"),
        params=(("fields", "allFields"), ("includeTrash", "true"), ("includeUnclaimed", "true")),
        filters=("updatedAfter",),
    ),
    "deals": ListEndpoint(
        endpoint=_list("/deals", "no stamp of change is documented: read whole, archived and deleted ones too"),
        params=(("includeArchived", "1"), ("includeDeleted", "1")),
        stamp="",
    ),
    "events": ListEndpoint(
        endpoint=_list("/events", "append-only; its own, much smaller bucket", context="events"),
        filters=("updatedAfter", "createdAfter"),
    ),
    "calls": ListEndpoint(
        endpoint=_list("/calls", "which filters work is contradictory in the field: probed"),
        filters=("updatedAfter", "createdAfter"),
    ),
    "appointments": ListEndpoint(endpoint=_list("/appointments", "no filter by change; read whole")),
}
