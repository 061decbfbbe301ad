"""The code tables hold what is known of the sources, once each."""

from __future__ import annotations

from collections import Counter

import pytest

from v2_assets.schema.codes import FUB, REZEN, code_rows, state_rows


def test_no_code_is_listed_twice_and_none_is_blank() -> None:
    rows = list(code_rows())
    assert max(Counter(row[:3] for row in rows).values()) == 1
    assert all(all(part and part == part.strip() for part in row) for row in rows)


@pytest.mark.parametrize(
    ("code_set", "raw", "value"),
    [
        ("transaction_status", "PENDING", "Pending"),
        ("transaction_status", "APPROVED", "Active"),
        ("transaction_status", "CANCELED", "Canceled"),
        ("transaction_type", "RESIDENTIAL_SALE", "Sale"),
        ("transaction_type", "SALE", "Sale"),
        ("transaction_type", "COMMERCIAL_LEASE", "Commercial Lease"),
        ("transaction_type", "REFERRAL", "Referral"),
        ("lifecycle_status", "SETTLED", "Closed"),
        ("lifecycle_status", "LISTING_ACTIVE", "Active"),
        ("participant_role", "BUYERS_AGENT", "Buyers Agent"),
        ("team_type", "PRO", "Pro"),
        ("country", "UNITED_STATES", "US"),
    ],
)
def test_a_rezen_code_means_what_the_status_map_says(code_set: str, raw: str, value: str) -> None:
    assert REZEN[code_set][raw] == value


def test_every_lifecycle_state_has_words_a_stage_and_a_status() -> None:
    assert set(REZEN["lifecycle_state"]) == set(REZEN["lifecycle_stage"]) == set(REZEN["lifecycle_status"])
    assert len(REZEN["lifecycle_state"]) == 19
    assert set(REZEN["lifecycle_status"].values()) <= set(REZEN["transaction_status"].values())


def test_no_status_outside_the_five_of_v2_exists() -> None:
    assert set(REZEN["transaction_status"].values()) == {"Pending", "Active", "Closed", "Terminated", "Canceled"}


def test_all_known_roles_and_events_are_listed() -> None:
    assert len(REZEN["participant_role"]) == 34
    assert len(FUB["event_type"]) == 14


def test_the_states_are_complete() -> None:
    countries = Counter(country for _, _, country in state_rows())
    assert countries == {"US": 50 + 1 + 5, "CA": 10 + 3}
    assert len({abbreviation for abbreviation, _, _ in state_rows()}) == sum(countries.values())
