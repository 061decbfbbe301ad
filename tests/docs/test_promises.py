"""What the pages about security promise is attacked: every test that they name is there, and every line names one."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "docs/explanation" / name for name in ("security.md", "row-level-security.md", "threat-model.md")]
NODE = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def _functions(path: Path) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, DEFS)}


DEFS = (ast.FunctionDef, ast.AsyncFunctionDef)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_test_that_a_page_names_is_in_the_suite(page: Path) -> None:
    for file, name in NODE.findall(page.read_text(encoding="utf-8")):
        assert (ROOT / file).is_file(), file
        assert not name or name in _functions(ROOT / file), f"{file}::{name}"


@pytest.mark.parametrize("page", PAGES[:2], ids=lambda page: page.stem)
def test_every_promise_names_the_test_that_attacks_it(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    table = text.split("| promise | attacked by |\n|---|---|\n")[1].split("\n\n")[0]
    rows = [row.strip("|").split("|") for row in table.splitlines()]
    assert len(rows) > 20
    for promise, attacks in rows:
        for attack in attacks.split(", "):
            assert NODE.fullmatch(attack.strip()) and "::" in attack, promise
