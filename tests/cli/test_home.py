"""Which platform a command means, and that none makes one but those that are for it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from resources.settings import load_settings
from v2_assets.cli import app, main, register_commands

register_commands()
#: Commands that make a home, the first key of one, or play a story in one.
MAKE = {"up", "migrate", "restore", "demo", "day", "demo-gap", "sandbox up", "keys add"}


@pytest.fixture(autouse=True)
def nothing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("V2_"):
            monkeypatch.delenv(name)


def bare() -> Iterator[tuple[str, ...]]:
    """Every command that can be typed without an argument, but those that make a home."""

    def walk(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        inner = getattr(command, "commands", {})
        for name, each in inner.items():
            yield from walk(each, (*path, name))
        lone = not inner or getattr(command, "invoke_without_command", False)
        if path and lone and not any(p.required for p in command.params) and " ".join(path) not in MAKE:
            yield path

    return walk(get_command(app), ())


@pytest.mark.parametrize("words", sorted(bare()), ids=" ".join)
def test_a_command_in_a_folder_without_a_platform_makes_none(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main([*words, "--json"])
    assert json.loads(capsys.readouterr().out)["step"] == words[0], "it says what is the matter"
    assert not list(tmp_path.iterdir())


def test_who_looks_where_no_platform_is_is_told_so_and_how_to_name_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["health", "--json"])
    error = json.loads(capsys.readouterr().out)["error"]
    assert (ended.value.code, error["code"]) == (1, "no_platform")
    assert str(tmp_path / ".v2") in error["message"] and "V2_HOME" in error["hint"] and "v2 up" in error["hint"]


def test_a_home_is_looked_for_upwards_and_a_project_is_where_it_would_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = tmp_path / "project" / "docs" / "howto"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    assert load_settings().home == Path(".v2"), "nobody's: it would be here"
    (tmp_path / "project" / "dagster.yaml").touch()
    assert load_settings().home == tmp_path / "project" / ".v2"
    (tmp_path / ".v2").mkdir()
    assert load_settings().home == tmp_path / "project" / ".v2", "the nearest counts"
    (inner / ".v2").mkdir()
    assert load_settings().home == Path(".v2")
    monkeypatch.setenv("V2_HOME", "elsewhere")
    assert load_settings().home == tmp_path / "project" / "elsewhere"
