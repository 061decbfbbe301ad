"""What the tables of money are merged from, and which tables their selects look up."""

from __future__ import annotations

from v2_assets.merge import Derived, Unit

_HERE = "v2_assets.money"


def _unit(table: str, entity: str) -> Unit:
    return Unit(table=table, package=_HERE, file=f"{table}.sql", stage=f"stage_rezen_{entity}")


def _derived(table: str) -> Derived:
    return Derived(table=table, package=_HERE, file=f"{table}.derived.sql")


CONTRIBUTION = (
    _unit("contribution", "contributions"),
    Unit(table="contribution", package=_HERE, file="contribution.v1.sql", stage="stage_xano_contribution"),
    _derived("contribution"),
)
CONTRIBUTIONS_PENDING = (_unit("contributions_pending", "pending_contributions"), _derived("contributions_pending"))
REVSHARE_PAYMENT = (_unit("revshare_payment", "revshare_payments"), _derived("revshare_payment"))
EQUITY_TRANSACTIONS = (_unit("equity_transactions", "equity"), _derived("equity_transactions"))


def _computed(table: str) -> tuple[Derived]:
    return (Derived(table=table, package=_HERE, file=f"{table}.sql"),)


INCOME = _computed("income")
REVSHARE_TOTALS = _computed("revshare_totals")
EQUITY_MONTHLY = _computed("equity_monthly")
EQUITY_ANNUAL = _computed("equity_annual")

WORK = (
    CONTRIBUTION,
    CONTRIBUTIONS_PENDING,
    REVSHARE_PAYMENT,
    EQUITY_TRANSACTIONS,
    INCOME,
    REVSHARE_TOTALS,
    EQUITY_MONTHLY,
    EQUITY_ANNUAL,
)
PARENTS: dict[str, tuple[str, ...]] = {
    "contribution": ("agent", "transaction", "user_identity"),
    "contributions_pending": ("agent", "transaction", "contribution"),
    "revshare_payment": ("agent",),
    "equity_transactions": ("agent",),
    "income": ("transaction", "transaction_financials", "contribution"),
    "revshare_totals": ("contribution",),
    "equity_monthly": ("equity_transactions",),
    "equity_annual": ("equity_transactions",),
}
