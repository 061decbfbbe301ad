"""The assets of money."""

from v2_assets.money import units as u
from v2_assets.tables import v2_asset

contribution = v2_asset(*u.CONTRIBUTION, parents=u.PARENTS)
contributions_pending = v2_asset(*u.CONTRIBUTIONS_PENDING, parents=u.PARENTS)
revshare_payment = v2_asset(*u.REVSHARE_PAYMENT, parents=u.PARENTS)
equity_transactions = v2_asset(*u.EQUITY_TRANSACTIONS, parents=u.PARENTS)
income = v2_asset(*u.INCOME, parents=u.PARENTS)
revshare_totals = v2_asset(*u.REVSHARE_TOTALS, parents=u.PARENTS)
equity_monthly = v2_asset(*u.EQUITY_MONTHLY, parents=u.PARENTS)
equity_annual = v2_asset(*u.EQUITY_ANNUAL, parents=u.PARENTS)

MONEY = [
    contribution,
    contributions_pending,
    revshare_payment,
    equity_transactions,
    income,
    revshare_totals,
    equity_monthly,
    equity_annual,
]
