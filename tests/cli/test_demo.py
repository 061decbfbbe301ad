"""How long the demo's story waits: as long as anything moves, and then it says what hangs and where its log is."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import LiteralString

import pytest

from resources.postgres import Database
from v2_assets.cli import demo_truth
from v2_assets.cli.demo import Demo, DemoFailed, State, work_done


def test_what_moves_is_waited_for_longer_than_what_hangs_and_its_text_is_said_once(tmp_path: Path) -> None:
    said: list[str] = []
    steps = iter([*(State(False, "reading", n) for n in range(4)), State(True, "read")])
    Demo(said.append, tmp_path).wait(lambda: next(steps), "reading", stalled_after_s=0.7)
    assert [line.partition("] ")[2] for line in said] == ["reading", "read"]


def test_what_hangs_is_named_with_the_path_of_its_log(tmp_path: Path) -> None:
    said = r"onboarding hangs: nothing has moved for 1 s \(3 Complete, 1 Started\)"
    with pytest.raises(DemoFailed, match=said) as failure:
        Demo(lambda _: None, tmp_path).wait(
            lambda: State(False, "3 Complete, 1 Started"), "onboarding", stalled_after_s=0.6
        )
    assert str(tmp_path / "daemon.log") in str(failure.value.hint)


def test_a_text_that_changes_is_progress_too(tmp_path: Path) -> None:
    numbers: Iterator[int] = count()
    Demo(lambda _: None, tmp_path).wait(
        lambda: State((number := next(numbers)) > 3, f"{number} of 4"), "counting", stalled_after_s=0.7
    )


def test_a_row_of_v2_is_work_and_what_an_idle_platform_writes_is_none(database: Database) -> None:
    with database.connect(autocommit=True) as connection:

        def work_after(statement: LiteralString) -> object:
            connection.execute(statement)
            connection.execute("select pg_stat_force_next_flush()")
            return work_done(connection)

        before = work_after("insert into v2.\"user\" (email) values ('a@example.test')")
        idle = "insert into ops.incident (code, key, severity, subject, told) values ('x', 'x', 'info', 'x', 'info')"
        assert work_after(idle) == before
        assert work_after("update v2.\"user\" set email = 'b@example.test'") != before


def test_the_truth_of_any_number_of_users_is_compared(database: Database) -> None:
    emails = {f"{number}@example.test": number for number in range(4_000)}
    users = [{"email": email, "fub": {"account_id": "77"}} for email in emails]
    told = {(email, "stage_fub_people"): {"1": None} for email in emails}
    [line] = demo_truth.compare(database, told, users, emails)
    assert (line["at_source"], line["unknown_here"]) == (4_000, 4_000)
