"""Reconciliation: what the sources have, what is in V2, and why each missing record is missing. No Dagster here."""

from v2_assets.reconcile.report import Line, Missing, ReconcileReport
from v2_assets.reconcile.run import reconcile

__all__ = ["Line", "Missing", "ReconcileReport", "reconcile"]
