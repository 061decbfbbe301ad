"""Sets of users as ranges of partitions: nothing is lost, nothing is added, no range is too long."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sensors.ranges import contiguous, covering, keys_of_run, tags_for

partitions = st.integers(1, 30).map(lambda n: [str(i) for i in range(n)])


@given(partitions, st.sets(st.integers(0, 40).map(str)), st.integers(1, 7))
def test_contiguous_ranges_hold_exactly_the_wanted_partitions(keys: list[str], wanted: set[str], longest: int) -> None:
    ranges = contiguous(keys, wanted, longest)
    covered = [key for piece in ranges for key in piece]
    assert covered == [key for key in keys if key in wanted]
    assert all(1 <= len(piece) <= longest for piece in ranges)


@given(partitions, st.sets(st.integers(0, 40).map(str)), st.integers(1, 7))
def test_covering_ranges_hold_every_wanted_partition_and_no_range_is_without_one(
    keys: list[str], wanted: set[str], longest: int
) -> None:
    ranges = covering(keys, wanted, longest)
    covered = {key for piece in ranges for key in piece}
    assert wanted & set(keys) <= covered
    assert all(wanted & set(piece) and len(piece) <= longest for piece in ranges)


@given(partitions, st.data())
def test_a_run_covers_what_its_tags_were_made_from(keys: list[str], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(keys) - 1))
    end = data.draw(st.integers(start, len(keys) - 1))
    piece = keys[start : end + 1]
    assert keys_of_run(keys, tags_for(piece)) == set(piece)


def test_a_range_whose_end_was_removed_covers_nobody() -> None:
    assert keys_of_run(["1", "2"], tags_for(["1", "2", "3"])) == set()


def test_five_neighbours_are_one_run_and_a_gap_makes_two() -> None:
    keys = ["1", "2", "3", "4", "5"]
    assert contiguous(keys, keys, 100) == [("1", "2", "3", "4", "5")]
    assert contiguous(keys, ["1", "2", "5"], 100) == [("1", "2"), ("5",)]
    assert covering(keys, ["1", "2", "5"], 100) == [("1", "2", "3", "4", "5")]
