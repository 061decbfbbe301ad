"""The reference pages are what the declarations say."""

from __future__ import annotations

from pathlib import Path

import pytest

from v2_assets.schema import metadata, reference


def test_the_committed_pages_are_current() -> None:
    assert reference.differences() == []


def test_every_v2_table_has_a_page_with_every_column_on_it() -> None:
    made = reference.pages()
    for table in (table for table in metadata.tables.values() if table.schema == "v2"):
        page = made[f"tables/{table.name}.md"]
        assert f"(tables/{table.name}.md)" in made["index.md"]
        for column in table.columns:
            assert f"| `{column.name}` |" in page


def test_links_between_pages_lead_somewhere() -> None:
    made = reference.pages()
    for name, page in made.items():
        folder = Path(name).parent
        for target in (part.split(")")[0] for part in page.split("](")[1:]):
            assert str(folder / target) in made, (name, target)


def test_a_page_that_is_missing_old_or_left_over_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reference.write(tmp_path)
    assert reference.differences(tmp_path) == []
    (tmp_path / "tables" / "agent.md").unlink()
    (tmp_path / "tables" / "team.md").write_text("old", encoding="utf-8")
    (tmp_path / "tables" / "ghost.md").write_text("gone", encoding="utf-8")
    wanted = [
        "tables/ghost.md: left over, no such table",
        "tables/agent.md: missing",
        "tables/team.md: out of date",
    ]
    assert reference.differences(tmp_path) == wanted
    monkeypatch.setattr(reference, "FOLDER", tmp_path)
    monkeypatch.setattr(reference.differences, "__defaults__", (tmp_path,))
    monkeypatch.setattr(reference.write, "__defaults__", (tmp_path,))
    assert reference.main(["--check"]) == 1
    assert all(line in capsys.readouterr().out for line in [f"docs/reference/{wanted[0]}"])
    assert reference.main([]) == 0
    assert reference.main(["--check"]) == 0
