"""Credential values: round trip, rotation, and what a wrong key says."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from resources.encryption import KEY_FILE, Vault, new_key, open_vault
from resources.errors import ConfigError
from resources.settings import Settings

VAULT = Vault([new_key()])


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_what_was_encrypted_comes_back(value: str) -> None:
    token = VAULT.encrypt(value)
    assert VAULT.decrypt(token) == value
    assert VAULT.encrypt(value) != token


def test_a_key_file_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    token = open_vault(settings).encrypt("api-key")
    assert open_vault(settings).decrypt(token) == "api-key"
    assert (tmp_path / "home" / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "home").iterdir()] == [KEY_FILE]


def test_processes_that_come_first_together_agree_on_one_key(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    with ThreadPoolExecutor(8) as threads:
        vaults = list(threads.map(lambda _: open_vault(settings), range(8)))
    token = vaults[0].encrypt("api-key")
    assert {vault.decrypt(token) for vault in vaults} == {"api-key"}


def test_the_setting_wins_over_the_file_and_several_keys_rotate(tmp_path: Path) -> None:
    old, new = new_key(), new_key()
    token = Vault([old]).encrypt("api-key")
    both = open_vault(Settings(home=tmp_path, secret_key=SecretStr(f"{new}, {old}")))
    assert both.decrypt(token) == "api-key"
    assert Vault([new]).decrypt(both.rotate(token)) == "api-key"
    assert list(tmp_path.iterdir()) == []


def test_another_key_is_an_error_that_says_what_to_do_and_shows_nothing() -> None:
    token = Vault([new_key()]).encrypt("api-key")
    for attempt in (VAULT.decrypt, VAULT.rotate):
        with pytest.raises(ConfigError, match="encrypted with another key") as failure:
            attempt(token)
        assert "V2_SECRET_KEY" in str(failure.value.hint)
        assert token not in str(failure.value)


@pytest.mark.parametrize("key", ["", "short", "ü" * 44, "!" * 44])
def test_what_is_no_key_is_refused_without_being_repeated(key: str) -> None:
    with pytest.raises(ConfigError, match="is not one") as failure:
        Vault([key])
    assert not key or key not in str(failure.value)


def test_an_unreadable_key_file_is_named(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=KEY_FILE):
        open_vault(Settings(home=tmp_path))


def test_the_module_prints_a_key() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "resources.encryption"],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert Vault([done.stdout]).decrypt(Vault([done.stdout]).encrypt("x")) == "x"
