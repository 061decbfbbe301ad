"""Sets of users as ranges of partitions: nobody is lost, nobody else is worked for, and no range is too long."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sensors.ranges import covering, keys_of_run, tags_for

partitions = st.integers(1, 30).map(lambda n: [str(i) for i in range(n)])
some = st.sets(st.integers(0, 40).map(str))


@given(partitions, some, st.integers(1, 7))
def test_ranges_hold_every_wanted_partition_once_and_begin_and_end_with_one(
    keys: list[str], wanted: set[str], longest: int
) -> None:
    ranges = covering(keys, wanted, longest)
    covered = [key for piece in ranges for key in piece]
    assert len(covered) == len(set(covered)) and wanted & set(keys) <= set(covered)
    for piece in ranges:
        assert 1 <= len(piece) <= longest and {piece[0], piece[-1]} <= wanted
        assert list(piece) == keys[keys.index(piece[0]) : keys.index(piece[-1]) + 1]


@given(partitions, some, st.integers(1, 7))
def test_there_are_as_few_ranges_as_can_be(keys: list[str], wanted: set[str], longest: int) -> None:
    starts = [piece[0] for piece in covering(keys, wanted, longest)]
    apart = [keys.index(later) - keys.index(sooner) for sooner, later in pairwise(starts)]
    assert all(distance >= longest for distance in apart), "no range could have held two of their first users"


@given(partitions, some, st.integers(1, 7))
def test_runs_work_for_the_wanted_partitions_and_for_no_others(keys: list[str], wanted: set[str], longest: int) -> None:
    runs = [tags_for(piece, wanted) for piece in covering(keys, wanted, longest)]
    worked = [key for tags in runs for key in keys_of_run(keys, tags)]
    assert sorted(worked) == sorted(wanted & set(keys))


@given(partitions, st.data())
def test_a_run_without_names_works_for_its_whole_range(keys: list[str], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(keys) - 1))
    end = data.draw(st.integers(start, len(keys) - 1))
    piece = keys[start : end + 1]
    assert keys_of_run(keys, tags_for(piece)) == set(piece)


def test_a_range_whose_end_was_removed_covers_nobody() -> None:
    assert keys_of_run(["1", "2"], tags_for(["1", "2", "3"])) == set()


def test_neighbours_with_a_gap_between_them_are_one_run() -> None:
    keys = ["1", "2", "3", "4", "5"]
    assert covering(keys, keys, 100) == [("1", "2", "3", "4", "5")]
    assert covering(keys, ["1", "2", "5"], 100) == [("1", "2", "3", "4", "5")]
    assert covering(keys, ["1", "2", "5"], 3) == [("1", "2"), ("5",)]


def test_every_third_of_335_users_is_two_runs() -> None:
    keys = [str(n) for n in range(335)]
    assert len(covering(keys, keys[::3], 200)) == 2
