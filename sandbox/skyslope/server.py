"""The signed login, bulk answers from a replica, folder lists of ten, users with those who left, offices."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.faults import Faults
from sandbox.world import Row, World
from sandbox.world.files import CLIENT, Account, written

FOLDER_PAGE = 10
SESSION_LASTS = timedelta(hours=2)
#: How far the replica is behind.
LAG = timedelta(seconds=2)
#: What a bulk answer without dates means.
RECENT = timedelta(days=7)
_KINDS = {"sale": "sales", "listing": "listings"}
_FIELDS = {"modified": "_changed", "created": "_created"}


def signed(secret: str, client_id: str, client_secret: str, timestamp: str) -> str:
    """The digest that a login must carry."""
    text = f"{client_id}:{client_secret}:{timestamp}"
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()).decode()


class SkySlopeServer:
    """All routes. Sessions are this server's own; `logins` counts them."""

    def __init__(self, world: World, faults: Faults) -> None:
        self.world, self.faults = world, faults
        self.sessions: dict[str, tuple[str, datetime]] = {}
        self.logins = 0

    def routes(self) -> list[Route]:
        """Everything under the host."""
        return [
            Route("/auth/login", self._login, methods=["POST"]),
            self._route("/api/files/replica-timestamp", self._replica),
            self._route("/api/files", self._bulk),
            self._route("/api/files/{kind}", self._folder),
            self._route("/api/files/{kind}/{guid}", self._detail),
            self._route("/api/users", self._users),
            self._route("/api/offices", self._offices),
        ]

    async def _login(self, request: Request) -> Response:
        try:
            body = {key.lower(): value for key, value in orjson.loads(await request.body()).items()}
        except (ValueError, AttributeError):
            return JSONResponse({"message": "Bad request"}, 400)
        scheme, _, rest = request.headers.get("authorization", "").partition(" ")
        key, _, digest = rest.partition(":")
        known = self.world.files.keys.get(key)
        client = (body.get("clientid"), body.get("clientsecret"))
        timestamp = request.headers.get("timestamp", "")
        right = known is not None and hmac.compare_digest(signed(known[0], *CLIENT, timestamp), digest)
        if scheme.lower() != "ss" or client != CLIENT or not right or self.faults.hit(("revoked_key",), "", key, None):
            return JSONResponse({"message": "Unauthorized"}, 401)
        token, self.logins = secrets.token_hex(16), self.logins + 1
        ends = datetime.now(UTC) + SESSION_LASTS
        self.sessions[token] = (key, ends)
        return JSONResponse({"Session": token, "Expiration": ends.strftime("%Y-%m-%dT%H:%M:%SZ")})

    def _route(self, path: str, answer: Callable[[Request, Account], Response]) -> Route:
        async def handle(request: Request) -> Response:
            token = request.headers.get("session", "")
            key, ends = self.sessions.get(token, ("", datetime.min.replace(tzinfo=UTC)))
            known = self.world.files.keys.get(key)
            if known and self.faults.hit(("session_ends",), request.url.path, key, known[1]):
                del self.sessions[token]
                known = None
            if known is None or ends < datetime.now(UTC):
                return JSONResponse({"message": "Unauthorized"}, 401)
            response = answer(request, self.world.files.accounts[known[1]])
            if self._fault(request, "null_value"):
                return JSONResponse({"value": None, "warnings": [], "links": []})
            return response

        return Route(path, handle, methods=["GET"])

    def _fault(self, request: Request, *names: str) -> Any:
        key, _ = self.sessions.get(request.headers.get("session", ""), ("", None))
        known = self.world.files.keys.get(key)
        return self.faults.hit(names, request.url.path, key, known[1] if known else None)

    # --- bulk -------------------------------------------------------------------------------------------------------

    def _now(self) -> datetime:
        return max(self.world.now, datetime.now(UTC)) - LAG

    def _replica(self, request: Request, account: Account) -> Response:
        return JSONResponse({"replicaTimestamp": written(self._now(), 3), "server": "replica-2"})

    def _bulk(self, request: Request, account: Account) -> Response:
        query = request.query_params
        kinds = [query["type"]] if query.get("type") in _KINDS else list(_KINDS)
        dates = {name: _instant(query.get(name)) for what in _FIELDS for name in (f"{what}After", f"{what}Before")}
        if not any(dates.values()):
            dates["createdAfter"] = self._now() - RECENT
        rows = [
            file
            for kind in kinds
            for file in getattr(account, _KINDS[kind]).values()
            if not file["_left_out"] and _within(file, dates)
        ]
        shown = [_shown(file) for file in rows]
        if shown and not self._fault(request, "no_repeats"):
            shown.append({**shown[0], "modifiedOn": "2001-01-01T00:00:00"})  # an older version of one of them
        summary = {
            "objectType": "summary",
            "numberOfSales": sum(1 for row in rows if row["objectType"] == "sale"),
            "numberOfListings": sum(1 for row in rows if row["objectType"] == "listing"),
            "numberOfUsers": len(account.users),
        }
        if self._fault(request, "counts_off"):
            summary["numberOfSales"] += 1
            summary["numberOfListings"] += 1
        if self._fault(request, "unknown_kind"):
            shown.append({"objectType": "rental", "rentalGuid": "r-1"})
        form = self._fault(request, "bulk_form")
        return Response(_body([*shown, summary], form.more.get("to") if form else "bom"), media_type="application/json")

    # --- folders ----------------------------------------------------------------------------------------------------

    def _folder(self, request: Request, account: Account) -> Response:
        kind = request.path_params["kind"]
        if kind not in _KINDS.values():
            return JSONResponse({"message": "Not found"}, 404)
        number = int(request.query_params.get("pageNumber", "1"))
        files = sorted(getattr(account, kind).values(), key=lambda f: (f["_created"], _guid(f)))
        page = files[(number - 1) * FOLDER_PAGE : number * FOLDER_PAGE]
        rows = [
            {
                **{name: file[name] for name in ("saleGuid", "listingGuid", "status") if name in file},
                "propertyAddress": f"{file['property']['streetNumber']} {file['property']['streetAddress']}",
            }
            for file in page
        ]
        links = [{"rel": "self", "href": f"pageNumber={number}"}]
        if number * FOLDER_PAGE < len(files):
            links.append({"rel": "next", "href": f"pageNumber={number + 1}"})
        value: Row = {kind: rows} if rows else {}
        return JSONResponse({"value": value, "warnings": [], "links": links})

    def _detail(self, request: Request, account: Account) -> Response:
        kind, guid = request.path_params["kind"], request.path_params["guid"]
        file = getattr(account, kind, {}).get(guid) if kind in _KINDS.values() else None
        if file is None:
            return JSONResponse({"message": "Not found"}, 404)
        shown = _shown(file)
        single = shown.pop("objectType")
        return JSONResponse({"value": {single: shown}, "warnings": [], "links": []})

    # --- people -----------------------------------------------------------------------------------------------------

    def _users(self, request: Request, account: Account) -> Response:
        everybody = request.query_params.get("includeDeactivated") == "true"
        rows = [_shown(user) for user in account.users if everybody or user["_active"]]
        return JSONResponse({"value": {"users": rows}, "warnings": [], "links": []})

    def _offices(self, request: Request, account: Account) -> Response:
        return JSONResponse({"value": {"offices": account.offices}, "warnings": [], "links": []})


def _guid(file: Row) -> str:
    return str(file.get("saleGuid") or file["listingGuid"])


def _shown(row: Row) -> Row:
    return {name: value for name, value in row.items() if not name.startswith("_")}


def _instant(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value).astimezone(UTC) if value else None


def _within(file: Row, dates: dict[str, datetime | None]) -> bool:
    for what, name in _FIELDS.items():
        after, before = dates[f"{what}After"], dates[f"{what}Before"]
        if (after and file[name] < after) or (before and file[name] > before):
            return False
    return True


def _body(rows: list[Row], form: str | None) -> bytes:
    """The rows in one of the forms that were seen."""
    if form == "wrapped":
        return orjson.dumps({"value": rows})
    if form == "loose":
        return b",\n".join(orjson.dumps(row) for row in rows) + b",\n"
    text = orjson.dumps(rows)
    if form == "control":
        return b"\xef\xbb\xbf" + text.replace(b'"Closed"', b'"Clo\x00sed"')
    return b"\xef\xbb\xbf" + text
