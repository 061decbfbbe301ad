"""Follow Up Boss endpoints as data. Sources: the vendor's reference pages on paging, limits and each resource."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from resources.http.endpoint import Endpoint

#: Documented limits per account and context, in calls per sliding 10 s: with a registered system key, and without one.
LIMITS: dict[str, tuple[int, int]] = {"global": (250, 125), "events": (20, 10)}
WINDOW_S = 10
#: From this offset on the API insists on `next` tokens and answers 400.
OFFSET_WALL = 2000
#: The field that a time filter is about.
STAMP_OF = {"updatedAfter": "updated", "createdAfter": "created"}

IDENTITY = Endpoint(name="GET /identity", path="/identity", why="whose key this is; the start-up check")
TEXTS = Endpoint(
    name="GET /textMessages",
    path="/textMessages",
    lists=("textmessages",),
    why="there is no list of all texts: asked for each contact",
)


class ListEndpoint(BaseModel):
    """How one collection is read whole, and how it is filtered by time where the server honours a filter.

    `filters` are tried in this order, and none is trusted beyond what its answers show. Without any the list is read
    whole each time.
    """

    model_config = ConfigDict(frozen=True)

    endpoint: Endpoint
    params: tuple[tuple[str, str], ...] = ()
    filters: tuple[str, ...] = ()


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
    ),
    "events": ListEndpoint(
        endpoint=_list("/events", "append-only; its own, much smaller bucket", context="events"),
        filters=("updatedAfter", "createdAfter"),
    ),
    "calls": ListEndpoint(
        # createdAfter is said to work, but calls are edited after they were made: better newest first than that.
        endpoint=_list("/calls", "which filters work is contradictory in the field"),
        filters=("updatedAfter",),
    ),
    "appointments": ListEndpoint(endpoint=_list("/appointments", "no filter by change; read whole")),
}


def slim(listed: ListEndpoint) -> tuple[tuple[str, str], ...]:
    """The list's parameters, with the id as the only field asked for."""
    return (("fields", "id"), *(pair for pair in listed.params if pair[0] != "fields"))


def one_of(entity: str) -> tuple[Endpoint, tuple[tuple[str, str], ...]]:
    """The endpoint of one record, and what has to be asked for to get all of it."""
    path = TEXTS.path if entity == "text_messages" else LISTS[entity].endpoint.path
    context = LISTS[entity].endpoint.context if entity in LISTS else "global"
    endpoint = Endpoint(name=f"GET {path}/{{id}}", path=f"{path}/{{id}}", context=context, why="one changed record")
    return endpoint, (("fields", "allFields"),) if entity == "people" else ()
