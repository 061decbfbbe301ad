"""reZEN (yenta: people and teams; arrakis: deals): endpoints as data, models of what we depend on, and the client."""

from resources.apis.rezen.client import RezenClient
from resources.apis.rezen.models import MODELS

ENTITIES = (
    "agents",
    "teams",
    "team_members",
    "transactions",
    "listings",
    "sponsor_tree",
    "cap_data",
    "network_downline",
    "network_frontline",
    "contributions",
    "pending_contributions",
    "revshare_payments",
    "equity",
)

__all__ = ["ENTITIES", "MODELS", "RezenClient"]
