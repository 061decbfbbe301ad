"""Changing the key of the stored credentials: nothing is lost on the way, and no key goes that something needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from resources.encryption import new_key, open_vault
from resources.errors import ConfigError
from resources.postgres import Database
from resources.settings import load_settings
from v2_assets import keys


def stored(database: Database) -> list[tuple[str, str | None]]:
    with database.connect() as connection:
        return connection.execute("select api_key, api_secret from v2.credentials order by id").fetchall()


@pytest.fixture
def home(database: Database, tmp_path: Path) -> Path:
    """A home with three connections, one of them deleted."""
    vault = open_vault(load_settings(home=tmp_path))
    with database.connect() as connection:
        connection.execute("insert into v2.\"user\" (email, full_name) values ('a@example.test', 'A')")
        for platform, secret, gone in (("fub", None, False), ("skyslope", "secret", False), ("rezen", None, True)):
            connection.execute(
                "insert into v2.credentials (user_id, platform, api_key, api_secret, state, deleted_at)"
                " select id, %s, %s, %s, 'new', case when %s then now() end from v2.\"user\"",
                [platform, vault.encrypt(platform), secret and vault.encrypt(secret), gone],
            )
    return tmp_path


def test_a_new_key_takes_over_and_the_old_one_goes_when_nothing_needs_it(home: Path, database: Database) -> None:
    settings = load_settings(home=home)
    keys.add(settings)
    with database.connect() as connection:
        assert [use.values for use in keys.standing(connection, settings).keys] == [0, 4]
        with pytest.raises(keys.KeyInUse, match="4 stored values"):
            keys.remove(connection, settings)
        assert keys.rotate(connection, settings) == 4
        assert keys.rotate(connection, settings) == 0, "twice changes nothing"
        assert [use.values for use in keys.standing(connection, settings).keys] == [4, 0]
        assert len(keys.remove(connection, settings)) == 1
    assert (home / "secret.key").stat().st_mode & 0o077 == 0
    vault = open_vault(load_settings(home=home))
    assert [(vault.decrypt(a), b and vault.decrypt(b)) for a, b in stored(database)] == [
        ("fub", None),
        ("skyslope", "secret"),
        ("rezen", None),
    ]


def test_a_value_that_no_key_opens_stops_everything(home: Path, database: Database) -> None:
    with database.connect() as connection:
        connection.execute("update v2.credentials set api_key = 'damaged' where platform = 'rezen'")
    before = stored(database)
    settings = load_settings(home=home)
    keys.add(settings)
    with pytest.raises(ConfigError, match="cannot be decrypted"), database.connect() as connection:
        keys.rotate(connection, settings)
    assert stored(database) == before
    with database.connect() as connection:
        assert keys.standing(connection, settings).unreadable == 1


def test_a_key_that_is_a_setting_is_left_to_people(home: Path, database: Database) -> None:
    settings = load_settings(home=home, secret_key=f"{new_key()},{(home / 'secret.key').read_text().strip()}")
    with database.connect() as connection:
        assert keys.rotate(connection, settings) == 4
        with pytest.raises(ConfigError, match="V2_SECRET_KEY"):
            keys.remove(connection, settings)
    with pytest.raises(ConfigError, match="V2_SECRET_KEY"):
        keys.add(settings)
