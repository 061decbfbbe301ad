"""What the tables of money are merged from, and which tables their selects look up."""

from __future__ import annotations

from v2_assets.merge import Derived, Unit

_HERE = "v2_assets.money"


def _unit(table: str, entity: str) -> Unit:
    return Unit(table=table, package=_HERE, file=f"{table}.sql", stage=f"stage_rezen_{entity}")


def _derived(table: str) -> Derived:
    return Derived(table=table, package=_HERE, file=f"{table}.derived.sql")


CONTRIBUTION = (_unit("contribution", "contributions"), _derived("contribution"))
CONTRIBUTIONS_PENDING = (_unit("contributions_pending", "pending_contributions"), _derived("contributions_pending"))
REVSHARE_PAYMENT = (_unit("revshare_payment", "revshare_payments"), _derived("revshare_payment"))
EQUITY_TRANSACTIONS = (_unit("equity_transactions", "equity"), _derived("equity_transactions"))

WORK = (CONTRIBUTION, CONTRIBUTIONS_PENDING, REVSHARE_PAYMENT, EQUITY_TRANSACTIONS)
PARENTS: dict[str, tuple[str, ...]] = {
    "contribution": ("agent", "transaction"),
    "contributions_pending": ("agent", "transaction", "contribution"),
    "revshare_payment": ("agent",),
    "equity_transactions": ("agent",),
}
