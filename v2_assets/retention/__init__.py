"""Retention: what the platform forgets of its own work, and when. No product data and no living record goes."""

from v2_assets.retention.apply import Forgotten, forget
from v2_assets.retention.rules import RULES, Rule

__all__ = ["RULES", "Forgotten", "Rule", "forget"]
