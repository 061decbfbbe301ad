"""The reference page of the endpoints, generated from the catalogue: `python -m v2_assets.api.reference`.

With `--check` nothing is written: the exit code is 1 when docs/reference/endpoints.md is not what the catalogue says.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from v2_assets.api.asked import DEEPEST_ROW, LARGEST_PAGE
from v2_assets.api.catalogue import CATALOGUE
from v2_assets.api.endpoint import RANGED, Endpoint, type_of
from v2_assets.schema.visibility import RULES, Own

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "endpoints.md"

_HEAD = f"""# Reference: the read endpoints

<!-- Made by `python -m v2_assets.api.reference` from v2_assets/api/catalogue; change it there. -->

How to use them is in [Read endpoints](../howto/endpoints.md), who sees which row in
[Row-level security](../explanation/row-level-security.md). All are GET with a token of scope `read`. A list has at most
{LARGEST_PAGE} rows a page; page numbers reach {DEEPEST_ROW} rows, the cursor every row. A ranged filter is two
parameters, `_from` and `_to`, both inclusive; others may be repeated, and one of the values must fit. Starting work has
endpoints of its own: `POST /tasks/sync/{{integration}}`, `/tasks/backfill/{{integration}}`,
`/tasks/onboarding/{{integration}}`, `/tasks/merge`, and `GET /tasks/state`, with scope `tasks`."""
_KINDS = {"rows": "pages of a list", "count": "a count", "figures": "figures, not paged", "record": "one row"}


def page() -> str:
    """The whole page."""
    index = _grid(
        ("endpoint", "answers", "what"),
        ((f"[{e.path}](#{_anchor(e)})", _KINDS[e.kind], e.what) for e in CATALOGUE),
    )
    rules = _grid(
        ("table", "a row is visible when"),
        ((f"`{table}`", " or ".join(map(_rule, rule)) or "always") for table, rule in sorted(RULES.items())),
    )
    parts = [_HEAD, index, *map(_section, CATALOGUE), "## Who sees which row", rules]
    return "\n\n".join(parts) + "\n"


def differs(path: Path = PAGE) -> bool:
    """Whether the page is missing or out of date."""
    return not path.is_file() or path.read_text(encoding="utf-8") != page()


def _section(endpoint: Endpoint) -> str:
    facts = [("Answers", _KINDS[endpoint.kind]), ("Reads", ", ".join(f"`{name}`" for name in endpoint.reads))]
    if endpoint.filters:
        facts.append(("Filters", ", ".join(_filter(endpoint, name) for name in endpoint.filters)))
    if endpoint.also:
        facts.append(("Parameters", ", ".join(f"`{field.name}` ({field.type})" for field in endpoint.also)))
    if endpoint.search:
        facts.append(("Search", "by the beginning of words: " * bool(endpoint.finder) + _code(endpoint.search)))
    if endpoint.kind == "rows":
        facts.append(("Sorts", _code(endpoint.sorts) + "; the first is the default, and each goes both ways"))
        facts.append(("Totals", "only with `totals=exact`" if endpoint.walk else "unless `totals=none`"))
    fields = ((f"`{f.name}`", f.type, "yes" if f.nullable else "no", f.meaning) for f in endpoint.fields)
    parts = [f"## {endpoint.path}", endpoint.what, _grid(("", ""), facts)]
    parts.append(_grid(("field", "type", "may be null", "meaning"), fields))
    if endpoint.parts:
        of = ((f"`{part.name}`", f"[{part.table}](tables/{part.table}.md)") for part in endpoint.parts)
        parts.append(_grid(("with it", "rows of"), of))
    return "\n\n".join(parts)


def _filter(endpoint: Endpoint, name: str) -> str:
    kind = type_of(endpoint.table or "", name)
    return f"`{name}_from`, `{name}_to`" if kind in RANGED else f"`{name}`"


def _rule(part: Own) -> str:
    return f"`{part.column}` is of the caller's {part.set.replace('_', ' ')}"


def _anchor(endpoint: Endpoint) -> str:
    return endpoint.path.replace("/", "").lower()


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _grid(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def main(arguments: Sequence[str]) -> int:
    """Write the page, or with `--check` only compare. Returns the exit code."""
    if "--check" not in arguments:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    if differs():
        print(f"docs/reference/{PAGE.name}: out of date; run: python -m v2_assets.api.reference")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
