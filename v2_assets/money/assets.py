"""The assets of money."""

from v2_assets.money import units as u
from v2_assets.tables import v2_asset

contribution = v2_asset(*u.CONTRIBUTION, parents=u.PARENTS)
contributions_pending = v2_asset(*u.CONTRIBUTIONS_PENDING, parents=u.PARENTS)
revshare_payment = v2_asset(*u.REVSHARE_PAYMENT, parents=u.PARENTS)
equity_transactions = v2_asset(*u.EQUITY_TRANSACTIONS, parents=u.PARENTS)

MONEY = [contribution, contributions_pending, revshare_payment, equity_transactions]
