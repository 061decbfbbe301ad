"""Settings: where they come from, and what a wrong one says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import SecretStr

from resources.errors import ConfigError
from resources.settings import Settings, load_settings, project_root


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "dagster.yaml").touch()
    (tmp_path / "deep" / "er").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "deep" / "er")
    return tmp_path


def test_the_defaults_suit_a_fresh_clone(project: Path) -> None:
    settings = load_settings()
    assert settings.home == project / ".v2"
    assert settings.database_url is None
    assert settings.ui_port == 3000


def test_the_project_is_the_nearest_folder_with_a_dagster_yaml(
    project: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert project_root() == project
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.chdir(elsewhere)
    assert project_root() == elsewhere


def test_the_environment_wins_over_the_file_and_arguments_over_both(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / ".env").write_text("V2_UI_PORT=4000\nV2_OVERLAP_MINUTES=5\nV2_FUB_SYSTEM=\nOTHER=1\n")
    monkeypatch.setenv("V2_UI_PORT", "5000")
    settings = load_settings(sweep_shrink_floor=0.5)
    assert (settings.ui_port, settings.overlap_minutes, settings.sweep_shrink_floor) == (5000, 5, 0.5)
    assert settings.fub_system == Settings.model_fields["fub_system"].default


def test_a_value_may_stand_in_a_file_that_its_name_with_file_behind_it_names(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "key").write_text("from the file\n")
    (project / ".env").write_text(f"V2_FUB_SYSTEM_KEY_FILE={project / 'key'}\n")
    assert load_settings().fub_system_key == SecretStr("from the file")
    monkeypatch.setenv("V2_FUB_SYSTEM_KEY", "given")
    assert load_settings().fub_system_key == SecretStr("given"), "what is given itself needs no file"


def test_a_file_of_a_secret_that_cannot_be_read_is_named_and_ends_the_start(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("V2_FUB_SYSTEM_KEY_FILE", str(project / "missing"))
    with pytest.raises(ConfigError, match="V2_FUB_SYSTEM_KEY_FILE"):
        load_settings()


def test_secrets_are_in_no_repr(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("V2_DATABASE_URL", "postgres://me:hunter2@db/v2")
    monkeypatch.setenv("V2_FUB_SYSTEM_KEY", "hunter2")
    settings = load_settings()
    assert "hunter2" not in repr(settings)
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == "postgresql://me:hunter2@db/v2"


@pytest.mark.parametrize(
    ("name", "value", "advice"),
    [
        ("V2_UI_PORT", "sixty-thousand", "V2_UI_PORT=3000"),
        ("V2_UI_PORT", "70000", "V2_UI_PORT=3000"),
        ("V2_DATABASE_URL", "mysql://me:sixty-thousand@db/v2", "V2_DATABASE_URL=postgresql://"),
        ("V2_DATABASE_URL", "sixty-thousand", "V2_DATABASE_URL=postgresql://"),
        ("V2_FUB_BASE_URL", "ftp://sixty-thousand", "V2_FUB_BASE_URL=https://"),
        ("V2_SWEEP_SHRINK_FLOOR", "7", "V2_SWEEP_SHRINK_FLOOR=0.2"),
    ],
)
def test_a_wrong_value_is_named_with_what_to_write_and_not_repeated(
    project: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, advice: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=name) as failure:
        load_settings()
    assert advice in str(failure.value.hint)
    assert "sixty-thousand" not in str(failure.value)


def test_a_misspelt_name_is_an_error_that_names_the_right_one(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("V2_DATABSE_URL", "postgresql://db/v2")
    with pytest.raises(ConfigError, match="no setting V2_DATABSE_URL") as failure:
        load_settings()
    assert failure.value.hint == "write V2_DATABASE_URL"


def test_an_unknown_name_in_the_file_is_an_error(project: Path) -> None:
    (project / ".env").write_text("V2_COLOUR=blue\n")
    with pytest.raises(ConfigError, match=r"no setting V2_COLOUR \(found in the file \.env\)"):
        load_settings()


@pytest.mark.parametrize("kind", ["folder", "binary"])
def test_an_unreadable_file_is_a_config_error(project: Path, kind: str) -> None:
    path = project / ".env"
    if kind == "folder":
        path.mkdir()
    else:
        path.write_bytes(b"V2_UI_PORT=\xff\xfe\n")
    with pytest.raises(ConfigError, match=r"\.env cannot be read") as failure:
        load_settings()
    assert "UTF-8" in str(failure.value.hint)


def test_reading_settings_changes_nothing(project: Path) -> None:
    before = dict(os.environ)
    load_settings()
    assert os.environ == before
    assert not (project / ".v2").exists()
