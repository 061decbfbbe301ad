"""The reference pages of the V2 tables, generated from the declarations: `python -m v2_assets.schema.reference`.

With `--check` nothing is written: the exit code is 1, and each page that differs is named, when the pages in
docs/reference are not what the declarations say.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from sqlalchemy import CheckConstraint, Table

from v2_assets.compare.mapping import ColumnRule, mapping_of, why_not
from v2_assets.schema import STREAMS, metadata
from v2_assets.schema.describe import column_schema, foreign_keys, pointing_here

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "reference"

_DOMAINS = {
    "identity": "Identity",
    "reference": "Reference",
    "people": "People and teams",
    "deals": "Deals",
    "crm": "CRM (Follow Up Boss)",
    "network": "Network",
    "money": "Money",
    "title": "Title",
    "aggregates": "Aggregates",
}
_FRESHNESS = {
    "realtime": "realtime: synced every 15 minutes, or written by the product itself",
    "hourly": "hourly",
    "daily": "daily",
    "seed": "seed: written when the database is migrated",
}
_WHEN_TOLD = ", where V1 has a value"
_MADE = "<!-- Made by `python -m v2_assets.schema.reference` from v2_assets/schema; change it there. -->"


def pages() -> dict[str, str]:
    """Every page by its path below docs/reference."""
    tables = [table for table in metadata.tables.values() if table.schema == "v2"]
    made = {f"tables/{table.name}.md": _page(table) for table in tables}
    made["index.md"] = _index(tables)
    return dict(sorted(made.items()))


def differences(folder: Path = FOLDER) -> list[str]:
    """One line per page that is missing, out of date or left over."""
    wanted = pages()
    found = {str(path.relative_to(folder)) for path in (folder / "tables").glob("*.md")}
    found |= {"index.md"} & {path.name for path in folder.glob("*.md")}
    lines = [f"{name}: left over, no such table" for name in sorted(found - wanted.keys())]
    for name, text in wanted.items():
        if name not in found:
            lines.append(f"{name}: missing")
        elif (folder / name).read_text(encoding="utf-8") != text:
            lines.append(f"{name}: out of date")
    return lines


def write(folder: Path = FOLDER) -> None:
    """Write every page and remove those of tables that are gone."""
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    wanted = pages()
    for path in (folder / "tables").glob("*.md"):
        if f"tables/{path.name}" not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text, encoding="utf-8")


def _page(table: Table) -> str:
    info = table.info
    facts = [
        ("Grain", info["grain"]),
        ("Natural key", _code(info["natural_key"])),
        ("Sources", ", ".join(info["sources"])),
        ("Freshness", _FRESHNESS[info["freshness"]]),
        ("Personal data", _code(info["personal"]) or "none"),
    ]
    staged = [stream for stream in STREAMS if stream.primary == table.name]
    facts += [("Staged in", f"`staging.{stream.table}`, read from {stream.endpoint}") for stream in staged]
    if info["derived"]:
        facts.append(("Derived", "computed from other V2 tables; it can be rebuilt at any time"))
    if info["may_be_empty"]:
        facts.append(("May be empty", info["may_be_empty"]))
    columns = (
        (f"`{name}`", type_, "yes" if nullable else "no", comment)
        for name, type_, comment, nullable, _ in column_schema(table)
    )
    keys = (
        (f"`{column}`", f"{_link(target)}.`{there}`", f"`{name}`")
        for column, target, there, name in foreign_keys(table)
    )
    laws = ((f"`{law.name}`", f"`{law.sqltext}`") for law in sorted(_checks(table), key=lambda law: str(law.name)))
    parts = [
        f"# {table.name}",
        _MADE,
        str(table.comment),
        _grid(("", ""), facts),
        "## Columns",
        _grid(("column", "type", "may be null", "meaning"), columns),
        _in_v1(table.name),
        _section("Points to", ("column", "to", "constraint"), keys),
        _section("Pointed to by", ("table", "column"), ((_link(t), f"`{c}`") for t, c in pointing_here(table))),
        _section("Laws", ("constraint", "every row fulfils"), laws),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _index(tables: Sequence[Table]) -> str:
    parts = [
        "# Reference: the V2 tables",
        _MADE,
        "Every table of schema `v2`, by domain. A natural key is what an upsert matches on; freshness is how often the "
        "table is brought up to date.",
    ]
    for domain, title in _DOMAINS.items():
        mine = sorted((table for table in tables if table.info["domain"] == domain), key=lambda table: table.name)
        rows = (
            (
                f"[{table.name}](tables/{table.name}.md)",
                table.info["grain"],
                _code(table.info["natural_key"]),
                ", ".join(table.info["sources"]),
                table.info["freshness"],
            )
            for table in mine
        )
        parts += [f"## {title}", _grid(("table", "one row is", "natural key", "sources", "freshness"), rows)]
    return "\n\n".join(parts) + "\n"


def _in_v1(name: str) -> str:
    """Where V1 had the rows, and how both are compared."""
    mapping = mapping_of(name)
    if mapping is None:
        return f"## In V1\n\nNot in V1: {why_not(name)}."
    parts = []
    for part in (mapping, *mapping.also):
        filled = f", rows that have {_code(part.where)}" if part.where else ""
        rules = [(rule, "key, ") for rule in part.keys] + [(rule, "") for rule in part.columns]
        lines = (
            (f"`{rule.v2}`", f"`{rule.v1}`", key + _compared(rule) + _WHEN_TOLD * rule.when_told) for rule, key in rules
        )
        parts.append(f"V1's table `{part.table}`{filled}.\n\n{_grid(('column', 'in V1', 'compared'), lines)}")
    if mapping.only_v2:
        parts.append(f"Not compared: {_code(mapping.only_v2)}.")
    left = [f"`{name}`" + (f" ({why})" if why else "") for name, why in (mapping.only_v1 or {}).items()]
    if left:
        parts.append(f"Only in V1: {', '.join(left)}.")
    return "## In V1\n\n" + "\n\n".join(parts)


def _compared(rule: ColumnRule) -> str:
    match rule.kind:
        case "money" | "instant":
            return f"within {rule.tolerance}"
        case "set":
            return "as a set"
        case "json":
            return "as a document"
        case "pointer":
            return f"by the {_link(f'v2.{rule.target}')} it means"
        case "code":
            return f"by code set {rule.target}"
        case "address":
            return f"by the {_link('v2.address')} it names"
        case _:
            return f"exactly, after {rule.form}" if rule.form else "exactly"


def _checks(table: Table) -> list[CheckConstraint]:
    return [law for law in table.constraints if isinstance(law, CheckConstraint)]


def _link(full_name: str) -> str:
    schema, name = full_name.split(".")
    return f"[{name}]({name}.md)" if schema == "v2" else f"`{full_name}`"


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _section(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = list(rows)
    return f"## {title}\n\n{_grid(head, lines)}" if lines else ""


def _grid(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def main(arguments: Sequence[str]) -> int:
    """Write the pages, or with `--check` only compare. Returns the exit code."""
    if "--check" not in arguments:
        write()
        return 0
    lines = differences()
    for line in lines:
        print(f"docs/reference/{line}")
    if lines:
        print("run: python -m v2_assets.schema.reference")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
