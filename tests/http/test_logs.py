"""A log line says what it is about, is one line, and shows neither a secret nor a person."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator

import pytest

from resources import logs
from resources.logs import about

KEY = "fka_0a1b2c3d4e5f6g7h"


@pytest.fixture(autouse=True)
def _root_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    yield
    root.handlers[:], root.level = before


def test_a_line_of_json_says_user_integration_entity_and_run(capsys: pytest.CaptureFixture[str]) -> None:
    logs.start("json")
    log = logging.getLogger("v2_assets.test")
    with about(run="r-1", integration="fub"), about(user=7, entity="people"):
        log.info("read %s\nrecords", 40)
    log.warning("alone")
    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert first | {"at": ""} == {
        "at": "", "level": "info", "logger": "v2_assets.test", "message": "read 40 records",
        "run": "r-1", "integration": "fub", "user": 7, "entity": "people",
    }  # fmt: skip
    assert not set(second) & set(logs.FIELDS)


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_secret_and_no_person_is_in_a_line_nor_what_an_exception_says(
    form: logs.Format, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.start(form)
    try:
        int(f"row ('Ines Ortega', '{KEY}')")
    except ValueError:
        logging.getLogger("x").exception("key %s of ines@example.test, +1 (555) 010-9999", KEY)
    (line,) = capsys.readouterr().err.splitlines()
    for word in (KEY, "ines@example.test", "010-9999", "Ortega"):
        assert word not in line
    assert "ValueError" in line and "test_logs.py" in line


def test_tasks_side_by_side_do_not_mix_what_they_are_about(capsys: pytest.CaptureFixture[str]) -> None:
    logs.start("json")

    async def work(user: int) -> None:
        with about(user=user):
            await asyncio.sleep(0.01)
            logging.getLogger("x").info("user %s", user)

    async def side_by_side() -> None:
        await asyncio.gather(*(work(user) for user in range(1, 6)))

    asyncio.run(side_by_side())
    told = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert len(told) == 5 and all(line["message"] == f"user {line['user']}" for line in told)


def test_text_puts_what_it_is_about_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    logs.start("text")
    with about(user=7, integration="fub"):
        logging.getLogger("x").warning("slow")
    assert capsys.readouterr().err.endswith("WARNING x slow [user=7 integration=fub]\n")
