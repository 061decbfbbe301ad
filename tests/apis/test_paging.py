"""When a list ends, when it is broken, and where in an answer it is."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.apis import paging
from resources.apis.paging import Progress, find_list, side_by_side
from resources.apis.rezen import endpoints as rezen
from resources.errors import NotUnderstood, PagingBroken
from resources.http.endpoint import Endpoint

THINGS = Endpoint(name="GET /things", path="/things", lists=("things", "items"), why="a test")
ROOT = THINGS.model_copy(update={"root_list": True})


@pytest.mark.parametrize(
    ("document", "rows"),
    [({"things": [1]}, [1]), ({"THINGS": [1]}, [1]), ({"items": []}, []), ({"things": [], "items": [2]}, [2])],
)
def test_a_list_is_found_under_any_known_name(document: Any, rows: list[Any]) -> None:
    assert find_list(document, THINGS, "Source") == rows


def test_a_list_is_found_under_the_name_the_answer_gives_it() -> None:
    assert find_list({"dealCustomfields": [1]}, THINGS, "Source", "dealcustomFields") == [1]


def test_a_bare_list_counts_only_where_it_is_known() -> None:
    assert find_list([1], ROOT, "Source") == [1]
    with pytest.raises(NotUnderstood):
        find_list([1], THINGS, "Source")


@pytest.mark.parametrize(
    "document", [{}, {"errors": [{"message": "x"}]}, {"things": None}, {"things": {}}, {"rows": []}, "x", 7, True]
)
def test_no_known_list_is_an_error_that_names_what_was_found_and_never_an_empty_page(document: Any) -> None:
    with pytest.raises(NotUnderstood) as caught:
        find_list(document, THINGS, "Source")
    assert caught.value.context["endpoint"] == "GET /things"
    assert "found" in caught.value.context


@given(st.dictionaries(st.text(max_size=10), st.lists(st.integers(), max_size=3), max_size=5))
def test_a_roster_is_read_from_its_known_names_and_from_no_other(document: dict[str, Any]) -> None:
    known = {name.lower() for name in rezen.ROSTER.lists}
    if any(name.lower() in known for name in document):
        assert find_list(document, rezen.ROSTER, "reZEN") in document.values()
    else:
        with pytest.raises(NotUnderstood):
            find_list(document, rezen.ROSTER, "reZEN")


pages = st.lists(st.tuples(st.lists(st.integers(0, 30), max_size=5), st.sampled_from("abcdefgh")), max_size=12)


@given(pages)
def test_a_walk_goes_on_only_while_pages_bring_new_ids_under_new_tokens(told: list[Any]) -> None:
    progress, ids, tokens = Progress("Source", "GET /things"), set[int](), set[str]()
    for page, token in told:
        if token in tokens:
            with pytest.raises(PagingBroken):
                progress.page(map(str, page), token)
            return
        assert progress.page(map(str, page), token) == bool(set(page) - ids)
        ids |= set(page)
        tokens.add(token)


def test_a_list_longer_than_the_cap_is_reported_and_never_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "MOST_PAGES", 3)
    progress = Progress("Source", "GET /things")
    for number in range(3):
        assert progress.page([str(number)], f"token {number}")
    with pytest.raises(PagingBroken, match="more than 3 pages"):
        progress.page(["9"], "token 9")


async def test_side_by_side_keeps_the_order_and_its_bound() -> None:
    running, most = 0, 0

    async def work(item: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return item * 2

    assert await side_by_side(work, list(range(20)), 4) == [n * 2 for n in range(20)]
    assert most == 4


async def test_the_first_failure_stops_the_others_and_comes_out_as_it_is() -> None:
    ended: list[int] = []

    async def work(item: int) -> None:
        try:
            await asyncio.sleep(0 if item == 3 else 3600)
        finally:
            ended.append(item)
        raise NotUnderstood(f"item {item}")

    with pytest.raises(NotUnderstood, match="item 3"):
        await side_by_side(work, list(range(5)), 5)
    assert sorted(ended) == list(range(5))
