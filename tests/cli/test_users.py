"""Wherever a person names a user, every name of that user is taken, and a name of nobody is an error that says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from resources.postgres import Database
from tests.cli.test_bad_input import v2
from tests.merge.stage import enter_users
from v2_assets.cli import app, register_commands

register_commands()
#: What each command needs besides the user, to get as far as looking the user up.
WORDS: dict[str, tuple[str, ...]] = {
    "onboard": ("--retry",),
    "offboard": (),
    "resync": (),
    "sync": ("--dry-run", "--integration", "fub"),
    "merge": (),
    "retry": ("--table", "stage_fub_people", "--reason", "unknown_code"),
    "reconcile": ("--integration", "csv"),
    "warnings": (),
    "backfill": ("--integration", "fub"),
    "webhooks audit": (),
    "webhooks register": (),
    "gate": (),
    "compare": ("--table", "agent"),
    "token create": ("--scope", "read"),
    "token list": (),
    "why": ("fub/people", "1"),
    "switch back": (),
    "switch release": (),
    "import v1": (),
    "import csv": ("deals.csv", "--dry-run"),
}
#: An option of this name (without the hyphens) names a user.
OPTIONS = ("user", "users")


def named() -> dict[str, str]:
    """Every command that names a user, with the option it does so by."""

    def walk(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        for name, inner in getattr(command, "commands", {}).items():
            yield from walk(inner, (*path, name))
        for parameter in command.params:
            if parameter.name in OPTIONS and path != ("day",):  # there it is how many
                yield " ".join(path), f"--{parameter.name}"

    return dict(walk(get_command(app), ()))


@pytest.fixture
def ask(database: Database, tmp_path: Path) -> Callable[[str, str], dict[str, Any]]:
    with database.connect() as connection:
        enter_users(connection, [{"id": 901}, {"id": 902}])
        connection.execute(
            "insert into v2.user_identity (platform, kind, external_id, user_id, source) values"
            " ('v2', 'ad_user_id', 'f00-901', 901, 'v1'), ('rezen', 'agent', 'shared', 901, 'rezen'),"
            " ('skyslope', 'user', 'shared', 902, 'skyslope')"
        )
    (tmp_path / "deals.csv").write_text("transaction id,status\nL-1,Closed\n", encoding="utf-8")

    def run(command: str, user: str) -> dict[str, Any]:
        words = (*command.split(), *WORDS[command], named()[command], user)
        code, told, _ = v2(*words, cwd=tmp_path, V2_DATABASE_URL=database.url, V2_DAGSTER_DATABASE_URL=database.url)
        assert code in (0, 1), told
        return told

    return run


def test_every_command_that_names_a_user_is_tried_here() -> None:
    assert set(named()) == set(WORDS)


@pytest.mark.parametrize("command", WORDS)
def test_a_name_of_nobody_is_an_error_that_repeats_it(ask: Callable[[str, str], dict[str, Any]], command: str) -> None:
    error = ask(command, "f00-nobody")["error"]
    assert error["code"] == "unknown_user" and "f00-nobody" in error["message"] and "v2 status" in error["hint"]


@pytest.mark.parametrize("command", WORDS)
def test_an_ad_user_id_is_taken_for_the_user(ask: Callable[[str, str], dict[str, Any]], command: str) -> None:
    told = ask(command, "f00-901")
    # Some of these then find that nothing is connected, or that the platform does not run: they got past the user.
    assert told["success"] or told["error"]["code"] != "unknown_user", told


def test_a_name_of_two_people_is_an_error_and_not_one_of_them(ask: Callable[[str, str], dict[str, Any]]) -> None:
    error = ask("merge", "shared")["error"]
    assert error["code"] == "unknown_user" and error["message"].startswith("2 users")
