"""GraphQL over HTTP as Qualia speaks it: one endpoint, HTTP Basic, and errors inside answers of status 200.

An answer counts only where it has data and no error for it. Which queries there are is in `surfaces`, what a pass asks
in `orders` and `lists`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import SecretStr

from resources.errors import ConfigError, Forbidden, NotFound, NotUnderstood, SourceError, Unauthorized
from resources.http.budget import Budget, Limit
from resources.http.client import HttpClient
from resources.http.endpoint import Endpoint
from resources.http.redact import clean_text
from resources.reading import Priority

SOURCE = "Qualia"
#: No limit is published; ours are calls in this many seconds.
WINDOW_S = 10
#: What an error's code says when the credentials are at fault, whatever the HTTP status is.
_NOT_LET_IN = frozenset({"UNAUTHORIZED", "UNAUTHENTICATED"})

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """One error of an answer: where it belongs, the source's own code, and its words without names and numbers."""

    path: Path
    code: str | None
    message: str


@dataclass(frozen=True, slots=True)
class Reply:
    """The data of an answer, what is wrong with parts of it, and the source's clock."""

    data: Mapping[str, Any]
    errors: tuple[Said, ...]
    source_time: datetime

    def errors_at(self, *path: str | int) -> list[Said]:
        """Errors at this place, above it, or inside it."""
        return [e for e in self.errors if e.path[: len(path)] == path or path[: len(e.path)] == e.path]


class GraphQl:
    """Calls with one pair of credentials. Raises Unauthorized for a pair that is refused, ConfigError for an address
    at which there is no GraphQL.
    """

    def __init__(
        self,
        *,
        user_name: SecretStr,
        password: SecretStr,
        account: str,
        base_url: str,
        budget: Budget,
        limit_per_account: int,
    ) -> None:
        name = user_name.get_secret_value()
        base, _, last = base_url.rstrip("/").rpartition("/")
        # The address is the whole endpoint; what is asked stands in the body.
        self._path = f"/{last}"
        limits = (Limit(f"title:{account}", limit_per_account, WINDOW_S, ours=True),)
        self._http = HttpClient(
            SOURCE,
            base_url=base,
            headers={},
            budget=budget,
            limits=lambda endpoint: limits,
            auth=(name, password.get_secret_value()),
            message_of=_message,
        )

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.close()

    async def ask(
        self, name: str, query: str, variables: Mapping[str, Any] | None = None, *, priority: Priority
    ) -> Reply:
        """One answer that has data, with the errors it carries. Raises NotUnderstood for one that has only errors."""
        body = {"query": query, "variables": dict(variables or {})}
        try:
            endpoint = Endpoint(name=name, path=self._path, why="GraphQL has one address for everything")
            answer = await self._http.post(endpoint, body, priority=priority)
        except Forbidden as error:
            # Here 403 is the answer to a wrong pair, not to a missing permission.
            raise Unauthorized(
                f"{SOURCE} refuses this user name and password (it answers 403, which means the pair, not a right)",
                hint="ask the organisation for a pair of this environment, then `v2 onboard` with it",
                context=error.context,
            ) from None
        except NotFound as error:
            raise ConfigError(
                f"{SOURCE} has no GraphQL at the address in use (404).",
                hint="set V2_TITLE_BASE_URL to the surface's whole address, for example"
                " https://connect.qualia.io/api/partner/graphql",
                context=error.context,
            ) from None
        document = answer.document
        if not isinstance(document, dict):
            raise not_understood(name, "answered without an object")
        errors = _errors(self._http.secrets.hide(document.get("errors")))
        data = document.get("data")
        if any(error.code in _NOT_LET_IN for error in errors):
            raise Unauthorized(
                f"{SOURCE} {name} was refused: {errors[0].message}",
                hint="ask the organisation for a new pair, then `v2 onboard` with it",
                context=_context(name, errors),
            )
        if not isinstance(data, dict):
            raise not_understood(name, "answered without data", errors)
        return Reply(data, errors, answer.source_time)


def rows_of(name: str, reply: Reply, *path: str, proven: bool = False) -> tuple[list[Any], dict[int, Said]]:
    """The list at this place, and by their numbers the rows that errors speak of: nothing of those may be stored.

    Raises NotUnderstood when the list is null or absent, when an error belongs to the list itself, and when several
    rows have one each and there is none without: a missing capability is not an empty list. A row that is alone on its
    page proves no such thing, and several do not either where rows came without errors before (`proven`).
    """
    holder: Any = reply.data
    for key in path:
        holder = holder.get(key) if isinstance(holder, dict) else None
    above = [e for e in reply.errors if len(e.path) <= len(path) and path[: len(e.path)] == e.path]
    if above or not isinstance(holder, list):
        raise not_understood(name, f"answered without {'.'.join(path)}", tuple(above) or reply.errors)
    inside = [e for e in reply.errors if e.path[: len(path)] == path]
    broken = {int(number): e for e in reversed(inside) if isinstance(number := e.path[len(path)], int)}
    if broken and len(broken) >= len(holder) > 1 and not proven:
        raise not_understood(name, "answered with an error for every row", reply.errors)
    return holder, broken


def kept_back(said: Said) -> str:
    """Why an error keeps a row back, for the row's record: the field it is about and the source's own code."""
    field = ".".join(part for part in said.path[1:] if isinstance(part, str))
    return f"an error of the source at {field or 'the whole row'}" + (f" ({said.code})" if said.code else "")


def not_understood(name: str, what: str, errors: Sequence[Said] = ()) -> SourceError:
    """The error for an answer from which nothing is taken. It names the source's own codes."""
    said = f": {errors[0].message}" if errors else ""
    return NotUnderstood(
        f"{SOURCE} {name} {what}{said}",
        hint="nothing was taken from this answer; a code that speaks of a capability is for the organisation to grant",
        context=_context(name, errors),
    )


def _context(name: str, errors: Sequence[Said]) -> dict[str, Any]:
    codes = sorted({error.code for error in errors if error.code})
    return {"source": SOURCE, "endpoint": name, **({"codes": codes} if codes else {})}


def _errors(value: Any) -> tuple[Said, ...]:
    """Errors in whatever shape; one without a path belongs to the whole answer."""
    if value is None or value == []:
        return ()
    found = []
    for each in value if isinstance(value, list) else [value]:
        error = each if isinstance(each, dict) else {"message": str(each)}
        extensions = error.get("extensions")
        code = extensions.get("code") if isinstance(extensions, dict) else None
        raw = error.get("path")
        path = tuple(part for part in raw if isinstance(part, str | int)) if isinstance(raw, list) else ()
        message = error.get("message")
        found.append(
            Said(path, code if isinstance(code, str) else None, clean_text(str(message or "an error without words")))
        )
    return tuple(found)


def _message(document: Any) -> str | None:
    errors = _errors(document.get("errors")) if isinstance(document, dict) else ()
    return errors[0].message if errors else None
