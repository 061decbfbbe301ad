"""The index of the runbooks: all alert codes in the words of the catalogue, and no page that nothing leads to."""

from __future__ import annotations

import re
from pathlib import Path

from v2_assets.alerting.codes import CODES, runbook

DOCS = Path(__file__).parents[2] / "docs"
INDEX = DOCS / "runbooks/index.md"


def test_the_index_tells_every_code_and_its_page_in_the_words_of_the_catalogue() -> None:
    rows = re.findall(r"^\| \[`(\w+)`\]\(([\w-]+\.md)\) \| (.+) \|$", INDEX.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(rows) == sorted((code, Path(runbook(code)).name, meaning) for code, meaning in CODES.items())


def test_every_runbook_belongs_to_a_code_and_every_code_has_its_runbook() -> None:
    pages = {path.relative_to(DOCS).as_posix() for path in INDEX.parent.glob("*.md") if path != INDEX}
    assert pages == {runbook(code) for code in CODES}
