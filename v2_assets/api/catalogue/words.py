"""What several parts of the catalogue say in the same words."""

from __future__ import annotations

from v2_assets.api.endpoint import Field, Lookup, Type

ADDRESS = Lookup("address", "api_addresses", "address_id", "The property's address in one line.")
AGENT = Lookup("agent_name", "api_agent_names", "agent_id", "The agent's name.")
PERIOD = (
    Field("since", "day", "The first day that counts; a year ago if it is not given."),
    Field("until", "day", "The last day that counts; today if it is not given."),
)


def described(*columns: tuple[str, Type, str]) -> tuple[Field, ...]:
    """The fields of figures, each as (name, type, meaning)."""
    return tuple(Field(*column) for column in columns)
