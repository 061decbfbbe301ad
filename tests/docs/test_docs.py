"""The documents are true: what they name exists."""

from __future__ import annotations

import re
from importlib.metadata import distributions
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_link_and_picture_of_a_page_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{target} is not there"


def test_every_test_that_the_table_of_bad_input_names_exists() -> None:
    table = (ROOT / "docs/explanation/bad-input.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_\w+)`", table))
    defined = set()
    for file in (ROOT / "tests").rglob("test_*.py"):
        defined |= set(re.findall(r"def (test_\w+)", file.read_text(encoding="utf-8")))
    assert named and named <= defined, named - defined


def test_every_make_target_that_a_page_names_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for page in PAGES:
        named = set(re.findall(r"(?:^|`)make ([a-z]+)", page.read_text(encoding="utf-8"), re.MULTILINE))
        assert named <= targets, page


def test_every_dependency_has_its_reason() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    reasons = (ROOT / "docs/explanation/dependencies.md").read_text(encoding="utf-8").lower()
    for line in [*project["dependencies"], *project["optional-dependencies"]["dev"]]:
        name = re.split(r"[\[=<>~ ]", line)[0].lower()
        assert name in reasons, f"{name} has no reason in dependencies.md"


def test_every_locked_distribution_runs_on_the_oldest_python_that_the_readme_names() -> None:
    for each in distributions():
        wanted = each.metadata.get("Requires-Python") or ""
        assert SpecifierSet(wanted).contains("3.11.0"), f"{each.name} {each.version} wants Python {wanted}"


def test_every_setting_is_in_the_example_file() -> None:
    from resources.settings import Settings

    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    for name in Settings.model_fields:
        assert f"V2_{name.upper()}=" in example, name


EXPLANATIONS = sorted((ROOT / "docs/explanation").glob("*.md"))


@pytest.mark.parametrize("page", EXPLANATIONS, ids=[page.stem for page in EXPLANATIONS])
def test_the_tests_and_golden_cases_that_a_page_names_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    tests = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    for name in re.findall(r"`(test_\w+)`", text):
        assert f"def {name}(" in tests, f"{page.name} names {name}, which is no test"
    tables = {path.name for path in (ROOT / "tests/golden").iterdir()}
    for table, case in re.findall(r"`(\w+)/(\w+)`", text):
        if table in tables:
            assert (ROOT / f"tests/golden/{table}/{case}.json").is_file(), f"{page.name} names {table}/{case}"
