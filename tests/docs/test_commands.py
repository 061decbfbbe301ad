"""What the manual tells people to type exists: commands and their options, settings, paths."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer.main

from resources.settings import FROM_FILE, Settings
from v2_assets.cli import app, register_commands

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
PAGES = [page for page in PAGES if "reference/tables" not in page.as_posix()]
IDS = [page.relative_to(ROOT).as_posix() for page in PAGES]
SETTINGS = {f"V2_{name.upper()}{end}" for name in Settings.model_fields for end in ("", FROM_FILE)}
#: Set by the platform for its own processes, and told of in explanations only.
INTERNAL = {"V2_DAGSTER_PG_URL"}
#: Where a command ends and the shell's own words begin.
_END = re.compile(r"\s(?:\||;|&&|<|>|\d>)\s?.*$|;.*$|\s+#.*$")


def commands(text: str) -> list[str]:
    """Everything that begins with `v2 `: lines of fenced blocks, and pieces of code in sentences."""
    text = text.replace("\\\n", " ")
    fenced = re.findall(r"^ *```[^\n]*\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in fenced for line in block.splitlines()]
    prose = re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL)
    lines += [piece.replace("\n", " ") for piece in re.findall(r"`([^`]+)`", prose)]
    told = []
    for line in lines:
        for piece in re.split(r";\s|&&", line):
            found = re.match(r"(?:\.venv/bin/)?v2 (?=[a-z…])(.*)", piece.strip())
            if found:
                told.append(_END.sub("", found[1]).strip())
    return told


def check(command: str) -> None:
    """Fails for a command, a sub-command or an option that does not exist."""
    register_commands()
    node: Any = typer.main.get_command(app)
    words = shlex.split(command.replace("'", "").replace('"', ""))
    while words and hasattr(node, "commands"):
        if words[0] in ("…", "--help"):
            return
        assert words[0] in node.commands, f"v2 {command}: there is no command {words[0]}"
        node = node.commands[words.pop(0)]
    known = {opt for parameter in node.params for opt in (*parameter.opts, *parameter.secondary_opts)}
    for word in words:
        if word.startswith("-") and word not in ("-", "--json", "--debug", "--help"):
            assert word.split("=")[0] in known, f"v2 {command}: there is no option {word}"


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_every_command_of_a_page_exists_with_its_options(page: Path) -> None:
    for command in commands(page.read_text(encoding="utf-8")):
        check(command)


def test_commands_are_found_in_blocks_and_sentences_and_wrong_ones_are_seen() -> None:
    block = "v2 onboard \\\n  --watch < key.txt   # a comment\nx && v2 down; v2 up"
    text = f"Do `v2 sync --user 1`, then:\n```\n{block}\n```\n"
    assert commands(text) == ["onboard    --watch", "down", "up", "sync --user 1"]
    for wrong in ("nonsense", "sync --no-such-option", "webhooks nonsense", "keys rotate --now"):
        with pytest.raises(AssertionError, match="there is no"):
            check(wrong)
    check("webhooks …")


def test_the_manual_tells_of_every_command() -> None:
    register_commands()
    root: Any = typer.main.get_command(app)
    told = [c.split()[0] for page in PAGES for c in commands(page.read_text(encoding="utf-8"))]
    assert set(root.commands) <= set(told), set(root.commands) - set(told)


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_every_setting_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for name, cut in re.findall(r"\b(V2_[A-Z0-9_]+)(…?)", text):
        known = any(s.startswith(name) for s in SETTINGS) if cut else name in SETTINGS | INTERNAL
        assert known, f"there is no setting {name}"


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_every_path_of_the_project_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    folders = "docs|deploy|v2_assets|resources|sensors|sandbox|bench|tests"
    for path in re.findall(rf"(?<![\w/.])(?:/opt/v2/)?((?:{folders})/[\w./-]+[\w])", text):
        # Made by whoever installs it, and in no repository.
        if path.startswith(("deploy/compose/.env", "deploy/compose/private")):
            continue
        assert (ROOT / path).exists() or list((ROOT / path).parent.glob(f"{Path(path).name}*")), f"{path} is not there"
