"""arrakis: deals. An agent's lists by lifecycle group carry thin rows; the whole deal is asked for one by one."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from sandbox.faults import Faults, broken
from sandbox.rezen.answers import Refused, Service, not_found
from sandbox.world import Row, World

GROUPS = ("OPEN", "CLOSED", "TERMINATED")
#: Groups of the transactions list that mean listings: those that are open, and all that were not terminated.
LISTING_GROUPS = {"LISTING_ACTIVE": ("OPEN",), "LISTING_NONTERMINATED": ("OPEN", "CLOSED")}
_KINDS = {"transactions": False, "listing-transactions": True}
_SORTS = {"CREATED_AT": "createdAt", "UPDATED_AT": "updatedAt", "ESCROW_CLOSING_DATE": "closingDateEstimated"}
_THIN = (
    "id", "code", "listing", "closed", "terminated", "transactionType", "lifecycleState", "address", "price",
    "createdAt", "updatedAt",
)  # fmt: skip
MOST = 500
_NAMES = {"root": None, "unknown": "rows"}


class Arrakis(Service):
    """The service of deals."""

    def __init__(self, world: World, faults: Faults) -> None:
        super().__init__(world, faults)
        self._kept: dict[tuple[Any, ...], list[Row]] = {}
        self._version = -1

    def routes(self) -> list[Route]:
        """Everything under /arrakis/api/v1."""
        participant = "/transactions/participant/{id}"
        return [
            self.route(f"{participant}/{{kind}}/lifecycle-group-counts", self._counts),
            self.route(f"{participant}/{{kind}}/{{group}}", self._group),
            self.route(f"{participant}/current", self._current),
            self.route("/transactions/code/{code}", self._by_code),
            self.route("/transactions/lite/batch-get", self._lite),
            self.route("/transactions/{id}", self._by_id),
        ]

    # --- lists ------------------------------------------------------------------------------------------------------

    def _kind(self, request: Request, me: str) -> bool:
        """Whether listings are asked for. An agent's lists are for that agent's own key."""
        kind = request.path_params["kind"]
        if kind not in _KINDS:
            raise not_found("Not found")
        if request.path_params["id"] != me:
            raise Refused(403, "Not allowed for this agent")
        return _KINDS[kind]

    def _of(self, agent: str, listing: bool, groups: tuple[str, ...], sort: str, *, descending: bool) -> list[Row]:
        brokerage = self.world.brokerage
        if self._version != self.world.version:
            self._kept.clear()
            self._version = self.world.version
        key = (agent, listing, groups, sort, descending)
        if key not in self._kept:
            rows = [
                deal
                for deal in brokerage.deals.values()
                if deal["listing"] is listing and deal["_group"] in groups and agent in brokerage.viewers[deal["id"]]
            ]
            column = _SORTS.get(sort, "createdAt")
            self._kept[key] = sorted(rows, key=lambda d: (d[column], d["id"]), reverse=descending)
        return self._kept[key]

    def _counts(self, request: Request, me: str) -> Row:
        listing = self._kind(request, me)
        off = self.fault(request, me, "counts_off")
        counts = {group: len(self._of(me, listing, (group,), "CREATED_AT", descending=False)) for group in GROUPS}
        if not listing:
            counts |= {
                name: len(self._of(me, True, groups, "CREATED_AT", descending=False))
                for name, groups in LISTING_GROUPS.items()
            }
        if off:
            counts["OPEN"] += int(off.more.get("by", 1))
        return counts

    def _group(self, request: Request, me: str) -> Any:
        listing, group, query = self._kind(request, me), request.path_params["group"], request.query_params
        if not query.get("pageNumber", "").isdecimal() or not query.get("pageSize", "").isdecimal():
            raise Refused(400, "pageNumber and pageSize are required")
        if group not in GROUPS and (listing or group not in LISTING_GROUPS):
            raise Refused(400, f"Unknown lifecycle group {group}", wrapped=True, code="BAD_REQUEST")
        groups = LISTING_GROUPS.get(group, (group,))
        listing = listing or group in LISTING_GROUPS
        number, size = int(query["pageNumber"]), min(max(int(query["pageSize"]), 1), MOST)
        descending = query.get("sortDirection") == "DESC"
        rows = self._of(me, listing, groups, query.get("sortBy", "CREATED_AT"), descending=descending)
        if self.fault(request, me, "vanished"):
            rows = [row for row in rows if int(row["id"][:4], 16) % 5 > 1]
        page = [{name: row[name] for name in _THIN} for row in rows[number * size : (number + 1) * size]]
        if self.fault(request, me, "empty_page"):
            page = []
        damage = self.fault(request, me, "invalid_record", "unreadable_date") if page else None
        if damage:
            page[0] = broken(page[0], damage)
        renamed = self.fault(request, me, "list_key")
        key = _NAMES.get(renamed.more.get("to", "unknown"), renamed.more.get("to")) if renamed else "transactions"
        if key is None:
            return page
        return {
            key: page,
            "pageNumber": number,
            "pageSize": size,
            "hasNext": (number + 1) * size < len(rows),
            "totalCount": len(rows),
        }

    def _current(self, request: Request, me: str) -> Row:
        if request.path_params["id"] != me:
            raise Refused(403, "Not allowed for this agent")
        rows = self._of(me, False, ("OPEN",), "CREATED_AT", descending=False)
        return {"openTransactions": [{name: row[name] for name in _THIN} for row in rows]}

    # --- single deals -----------------------------------------------------------------------------------------------

    def _by_id(self, request: Request, me: str) -> Row:
        return self._whole(self.world.brokerage.deals.get(request.path_params["id"]), request, me)

    def _by_code(self, request: Request, me: str) -> Row:
        code = request.path_params["code"]
        found = next((d for d in self.world.brokerage.deals.values() if d["code"] == code), None)
        return self._whole(found, request, me)

    def _lite(self, request: Request, me: str) -> list[Row]:
        wanted, brokerage = request.query_params.get("transactionIds", "").split(","), self.world.brokerage
        mine = [brokerage.deals[i] for i in wanted if i in brokerage.deals and me in brokerage.viewers[i]]
        return [{name: deal[name] for name in _THIN} for deal in mine]

    def _whole(self, deal: Row | None, request: Request, me: str) -> Row:
        if deal is None:
            raise not_found("No transaction with that id")
        if me not in self.world.brokerage.viewers[deal["id"]]:
            raise Refused(403, "Not allowed for this agent")
        shown = {name: value for name, value in deal.items() if not name.startswith("_")}
        # What a deal pays depends on whose key asks.
        net = deal["_net"] if me == deal["_owner"] else round(deal["_net"] * 0.1, 2)
        shown["myNetPayout"] = {"amount": net, "currency": deal["currency"]}
        damage = self.fault(request, me, "invalid_record", "unreadable_date")
        return broken(shown, damage) if damage else shown
