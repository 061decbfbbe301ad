"""`v2 doctor --offline`: what a configuration can be told before anything runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from resources.encryption import new_key

ROOT = Path(__file__).parents[2]


def examine(home: Path, **settings: str) -> dict[str, tuple[str, str]]:
    """State and finding of each line; no database is anywhere."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("V2_")}
    done = subprocess.run(
        [sys.executable, "-m", "v2_assets.cli", "--json", "doctor", "--offline"],
        cwd=home,
        env=environment | {"PYTHONPATH": str(ROOT), "V2_HOME": str(home / "home")} | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = json.loads(done.stdout)["data"]
    assert (done.returncode != 0) == any(line["state"] == "fail" for line in lines)
    assert not (home / "home").exists(), "an examination makes nothing"
    return {line["what"]: (line["state"], line["found"]) for line in lines}


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("V2_DATABASE_URL", "postgresql://v2_app:PASSWORD@127.0.0.1:5432/v2", "V2_DATABASE_URL"),
        ("V2_API_DATABASE_URL", "postgresql://v2_front:change-me@127.0.0.1:5432/v2", "V2_API_DATABASE_URL"),
        ("V2_SECRET_KEY", "no key", "The key that encrypts credentials"),
        ("V2_UI_PORT", "none", "V2_UI_PORT"),
    ],
)
def test_a_setting_that_cannot_be_used_or_was_never_filled_in_is_named(
    tmp_path: Path, name: str, value: str, found: str
) -> None:
    state, said = examine(tmp_path, **{name: value})["settings"]
    assert state == "fail" and found in said


def test_a_file_that_others_can_read_is_warned_of_and_a_good_one_is_fine(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(f"V2_SECRET_KEY={new_key()}\nV2_DATABASE_URL=postgresql://v2_app:x@127.0.0.1:1/v2\n")
    file.chmod(0o644)
    assert examine(tmp_path)["settings"][0] == "warn"
    file.chmod(0o600)
    told = examine(tmp_path)
    assert {state for state, _ in told.values()} == {"ok"}
