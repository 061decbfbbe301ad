"""What is installed where it runs is what was tested, and no tool of the developers."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
OURS = ("resources", "sandbox", "sensors", "v2_assets")
#: Installed from this folder, and not of a lock.
ITSELF = canonicalize_name(PROJECT["name"])


def locked(name: str) -> dict[str, tuple[str, frozenset[str]]]:
    """Version and hashes of each distribution of a lock."""
    text = re.sub(r"\\\n", "", (ROOT / name).read_text(encoding="utf-8"))
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    found: dict[str, tuple[str, frozenset[str]]] = {}
    for line in lines:
        requirement = Requirement(line.split("--hash", 1)[0].strip())
        (pin,) = requirement.specifier
        assert pin.operator == "=="
        hashes = frozenset(re.findall(r"--hash=sha256:([0-9a-f]{64})", line))
        assert hashes, f"{name}: {requirement.name} has no hash"
        found[canonicalize_name(requirement.name)] = pin.version, hashes
    return found


def needed(lines: list[str]) -> set[str]:
    """The names of what these requirements bring, themselves included, as it is installed here."""
    found: set[str] = set()
    waiting = [Requirement(line) for line in lines]
    seen: set[str] = set()
    while waiting:
        each = waiting.pop()
        if str(each) in seen or (each.marker and not each.marker.evaluate({"extra": ""})):
            continue
        seen.add(str(each))
        found.add(canonicalize_name(each.name))
        for line in distribution(each.name).requires or ():
            inner = Requirement(line)
            if inner.marker is None or any(inner.marker.evaluate({"extra": extra}) for extra in (*each.extras, "")):
                inner.marker = None
                waiting.append(inner)
    return found


def test_what_runs_is_locked_to_the_versions_that_were_tested() -> None:
    whole, run = locked("requirements.lock"), locked("requirements-run.lock")
    assert len(run) > 50
    assert {name: whole.get(name) for name in run} == run


def test_nothing_is_installed_where_it_runs_that_only_developers_need() -> None:
    run = set(locked("requirements-run.lock"))
    runs = needed([*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["build"]])
    assert run == runs
    tools = needed(PROJECT["optional-dependencies"]["dev"]) - runs
    assert {"pytest", "ruff", "mkdocs", "hypothesis", "schemathesis", "basedpyright", "pip-tools"} <= tools
    assert not run & tools


def test_nothing_that_runs_imports_what_is_not_installed_there() -> None:
    run, where = set(locked("requirements-run.lock")), packages_distributions()
    for path in (path for folder in OURS for path in (ROOT / folder).rglob("*.py")):
        for module in _imported(path):
            if module in sys.stdlib_module_names or module in OURS:
                continue
            assert {canonicalize_name(name) for name in where.get(module, ())} & (run | {ITSELF}), f"{path}: {module}"


def _imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def test_the_image_and_the_manual_install_what_runs() -> None:
    for name in ("deploy/compose/Dockerfile", "docs/howto/install.md", "docs/howto/upgrade.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "--require-hashes -r requirements-run.lock" in text, name
        assert "-r requirements.lock" not in text, name
    assert "!requirements-run.lock" in (ROOT / "deploy/compose/Dockerfile.dockerignore").read_text(encoding="utf-8")


def test_every_locked_distribution_is_installed_here_in_its_version() -> None:
    for name, (version, _) in locked("requirements.lock").items():
        try:
            assert distribution(name).version == version, name
        except PackageNotFoundError:
            raise AssertionError(f"{name} is locked and not installed") from None
