"""What the manual's pages tell people to type, for the tests that type it."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[1]
_BLOCK = re.compile(r"^( *)<!-- walk: (\w+) -->\n *```\n(.*?)^ *```", re.MULTILINE | re.DOTALL)


def block(page: str, name: str) -> str:
    """The commands that a page of docs/howto marks with this name, in their order."""
    text = (ROOT / "docs/howto" / page).read_text(encoding="utf-8")
    found = [textwrap.dedent(body) for _, each, body in _BLOCK.findall(text) if each == name]
    assert found, f"{page} marks nothing as {name}"
    return "".join(found)
