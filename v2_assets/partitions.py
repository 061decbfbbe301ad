"""Partitions: one per user of the product. The key is the user's id as text."""

from __future__ import annotations

import dagster as dg

USERS_NAME = "user"
users = dg.DynamicPartitionsDefinition(name=USERS_NAME)


def partition_key(user_id: int) -> str:
    """The partition of a user."""
    return str(user_id)


def user_ids(keys: list[str]) -> list[int]:
    """The users of these partitions. A key that is no id raises ValueError, naming it."""
    return [int(key) for key in keys]
