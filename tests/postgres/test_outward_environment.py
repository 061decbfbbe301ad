"""What `v2 up` and `v2 run` give the processes that face the outside: their own login, and no secret of the others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from resources.postgres import Database
from resources.settings import load_settings
from v2_assets.platform import Name, Platform


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("receiver", {"V2_RECEIVER_DATABASE_URL", "V2_SECRET_KEY", "V2_FUB_SYSTEM_KEY"}),
        ("api", {"V2_API_DATABASE_URL"}),
    ],
)
def test_a_process_that_faces_the_outside_is_given_no_secret_of_another(
    database: Database, empty_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: Name, own: set[str]
) -> None:
    marked = {
        "V2_RECEIVER_DATABASE_URL": database.url + "?application_name=PLANTED",
        "V2_API_DATABASE_URL": database.url + "?application_name=PLANTED",
        "V2_DATABASE_URL": database.url + "?application_name=PLANTED",
        "V2_DAGSTER_DATABASE_URL": empty_database + "?application_name=PLANTED",
        "V2_SECRET_KEY": "PLANTED",
        "V2_FUB_SYSTEM_KEY": "PLANTED",
        "V2_SKYSLOPE_CLIENT_SECRET": "PLANTED",
        "V2_ALERT_SLACK_URL": "https://PLANTED.example.test",
        "V2_ALERT_SMTP_URL": "smtp://a:PLANTED@mail.example.test",
        "V2_ALERT_HTTP_SECRET": "PLANTED",
    }
    for variable, value in marked.items():
        monkeypatch.setenv(variable, value)
    _, environment, _ = Platform(load_settings(home=tmp_path)).command(name)
    assert {variable for variable, value in environment.items() if "PLANTED" in value} == own
    assert environment["PATH"] == os.environ["PATH"]
