"""arrakis' rev share and the assumed equity ledger of plutus. Only for the agent's own key."""

from __future__ import annotations

from starlette.requests import Request
from starlette.routing import Route

from sandbox.rezen.answers import Refused, Service
from sandbox.rezen.network import page_of
from sandbox.world import Row
from sandbox.world.money import Earnings


class _Own(Service):
    def earned(self, request: Request, me: str) -> Earnings:
        """What the asking agent earned. Somebody else's is refused."""
        if request.path_params["id"] != me:
            raise Refused(403, "Not allowed for this agent")
        return self.world.money.of.get(me) or Earnings()

    def shown(self, rows: list[Row]) -> list[Row]:
        """Rows without what the source does not tell."""
        return [{name: value for name, value in row.items() if not name.startswith("_")} for row in rows]


class RevShares(_Own):
    """The part of arrakis that knows what the network pays."""

    def routes(self) -> list[Route]:
        """Routes to stand among arrakis'."""
        return [
            self.route("/revshares/{id}/contributions/{tier}", self._contributions),
            self.route("/revshares/{id}/payments/pending", self._pending),
            self.route("/revshares/{id}/payments", self._payments),
        ]

    def _contributions(self, request: Request, me: str) -> Row:
        tier, missed = request.path_params["tier"], request.query_params.get("missed") == "true"
        if not tier.isdecimal():
            raise Refused(400, f"There is no tier {tier}", wrapped=True, code="BAD_REQUEST")
        rows = [
            row
            for row in self.earned(request, me).contributions.values()
            if row["_tier"] == int(tier) and row["_missed"] is missed
        ]
        return page_of(request, "contributions", self.shown(rows))

    def _pending(self, request: Request, me: str) -> Row:
        return page_of(request, "payments", self.shown(list(self.earned(request, me).pending.values())))

    def _payments(self, request: Request, me: str) -> Row:
        return page_of(request, "payments", self.shown(list(self.earned(request, me).payments.values())))


class Plutus(_Own):
    """The equity service, in the shape that the platform's adapter assumes."""

    def routes(self) -> list[Route]:
        """Everything under /plutus/api/v1."""
        return [self.route("/equity/{id}/transactions", self._entries)]

    def _entries(self, request: Request, me: str) -> Row:
        return page_of(request, "transactions", self.shown(list(self.earned(request, me).equity.values())))
