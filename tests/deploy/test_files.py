"""The files for production fit the code: commands, settings, ports and paths that they name exist."""

from __future__ import annotations

import configparser
import importlib.util
import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from resources.embedded.cluster import CONNECTIONS
from resources.settings import Settings
from v2_assets.cli.foreground import Process

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("v2*.service"))
#: What faces the outside has a module of its own, which is told its own login only.
FACING = {"receiver": "sensors.receiver", "api": "v2_assets.api"}
SETTINGS = {f"V2_{name.upper()}" for name in Settings.model_fields}
KEYS = {"V2_FUB_SYSTEM_KEY", "V2_SKYSLOPE_CLIENT_SECRET", "V2_SECRET_KEY", "V2_UI_KEY", "V2_API_TASKS_KEY",
        "V2_ALERT_SLACK_URL", "V2_ALERT_SMTP_URL"}  # fmt: skip
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose/compose.yaml").read_text(encoding="utf-8"))


def unit(path: Path) -> configparser.ConfigParser:
    """A unit as systemd reads it: what all of ours have in common stands in a file of its own."""
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # systemd's names have capitals
    parser.read_string(path.read_text(encoding="utf-8"))
    if path.suffix == ".service":
        parser.read_string((DEPLOY / "systemd/v2-.service.d/hardening.conf").read_text(encoding="utf-8"))
    return parser


def settings_files(path: Path) -> list[Path]:
    """Our examples of the settings files that a unit is given."""
    names = re.findall(r"^EnvironmentFile=/etc/v2/(\S+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return [DEPLOY / "systemd/etc" / name for name in names]


def env(path: Path) -> dict[str, str]:
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def check_command(words: list[str]) -> str:
    """The process that a command starts; fails for one that does not exist."""
    program = Path(words[0]).name
    if program == "python":
        assert words[1] == "-m" and importlib.util.find_spec(words[2]), words
        return words[2]
    assert program == "v2", words
    if words[1] == "run":
        assert words[2] in get_args(Process), words
        return words[2]
    return words[1]


@pytest.mark.parametrize("path", UNITS, ids=[path.stem for path in UNITS])
def test_a_unit_starts_what_exists_with_settings_that_exist_and_may_write_only_where_it_must(path: Path) -> None:
    service = unit(path)["Service"]
    words = shlex.split(service["ExecStart"])
    if words[0] == "/bin/sh":
        words = shlex.split(words[2].removeprefix("exec "))
    assert words[0].startswith("/opt/v2/.venv/bin/")
    check_command(words)
    given = [name for file in settings_files(path) for name in env(file)]
    assert given and set(given) <= SETTINGS and len(given) == len(set(given)), "a setting stands in one place"
    home = service.get("Environment", "").removeprefix("V2_HOME=/var/lib/")
    assert home == service.get("StateDirectory", "")
    assert service["UMask"] == ("0007" if path.stem == "v2-code-server" else "0077")
    assert service["NoNewPrivileges"] == "yes" and service["ProtectSystem"] == "strict"
    if service.get("Type") == "exec":
        assert service["Restart"] == "always"


def test_no_account_can_read_a_key_that_its_processes_do_not_use() -> None:
    """Processes of one account can read each other's environment, so what counts is what an account is given."""
    held: dict[str, set[str]] = {}
    for path in UNITS:
        names = {name for file in settings_files(path) for name in env(file)}
        held.setdefault(unit(path)["Service"]["User"], set()).update(names & KEYS)
    alerts = {"V2_ALERT_SLACK_URL", "V2_ALERT_SMTP_URL"}
    sources = {"V2_SECRET_KEY", "V2_FUB_SYSTEM_KEY", "V2_SKYSLOPE_CLIENT_SECRET"}
    assert held == {
        "v2": sources | alerts,
        "v2-owner": sources,
        "v2-web": {"V2_UI_KEY", "V2_API_TASKS_KEY"} | alerts,
        "v2-receiver": {"V2_SECRET_KEY", "V2_FUB_SYSTEM_KEY"},
        "v2-api": {"V2_API_TASKS_KEY"},
    }
    made = (ROOT / "docs/howto/install.md").read_text(encoding="utf-8")
    assert all(f"/usr/sbin/nologin {account}\n" in made for account in held)


def test_the_code_servers_socket_is_for_the_daemon_and_the_web_server_alone() -> None:
    code = unit(DEPLOY / "systemd/v2-code-server.service")["Service"]
    socket = Path(env(DEPLOY / "systemd/etc/v2.env")["V2_CODE_SOCKET"])
    assert socket.parent == Path("/run") / code["RuntimeDirectory"] and code["RuntimeDirectoryMode"] == "0750"
    let_in = {p.stem for p in UNITS if code["Group"] in unit(p)["Service"].get("SupplementaryGroups", "").split()}
    of_the_account = {p.stem for p in UNITS if unit(p)["Service"]["User"] == code["User"]}
    assert (let_in, of_the_account) == ({"v2-webserver"}, {"v2-code-server", "v2-daemon"})
    assert Path(COMPOSE["x-base"]["V2_CODE_SOCKET"]).parent.parent == Path("/var/lib/v2")
    for name in FACING:
        assert not COMPOSE["services"][name]["volumes"], f"{name} would see the socket"


def test_a_database_that_is_away_ends_no_unit_for_good() -> None:
    """What a unit requires and what fails ends it as well; so they look at the schema themselves."""
    for path in UNITS:
        told = unit(path)
        assert set(told["Unit"].get("Requires", "").split()) <= {f"{path.stem}.socket"}, path.name
        assert told["Unit"].get("StartLimitIntervalSec") == "0" or "PartOf" not in told["Unit"], path.name
    assert unit(DEPLOY / "systemd/v2-migrate.service")["Service"]["Restart"] == "on-failure"


def test_every_process_has_its_unit_and_its_container_and_the_target_wants_all_units() -> None:
    commands = [shlex.split(unit(path)["Service"]["ExecStart"]) for path in UNITS]
    units = {check_command(words) for words in commands if words[0] != "/bin/sh"}
    alone = {FACING.get(name, name) for name in get_args(Process)}
    assert alone <= units
    wanted = set(unit(DEPLOY / "systemd/v2.target")["Unit"]["Wants"].split())
    sockets = {f"v2-{name}.socket" for name in FACING}
    assert wanted == {f"v2-{name}.service" for name in (*get_args(Process), "migrate")} | sockets | {"v2-backup.timer"}
    for name in wanted:
        assert unit(DEPLOY / "systemd" / name)["Unit"]["PartOf"] == "v2.target", f"{name} would outlive the target"
    commanded = {
        check_command(s["command"])
        for s in COMPOSE["services"].values()
        if s.get("command", ["sleep"])[0] not in ("sleep", "postgres")
    }
    assert alone <= commanded


def test_the_database_of_the_containers_allows_as_many_connections_as_the_doctor_wants() -> None:
    assert COMPOSE["services"]["postgres"]["command"] == ["postgres", "-c", f"max_connections={CONNECTIONS}"]


@pytest.mark.parametrize("name", FACING)
def test_what_faces_the_outside_listens_where_its_setting_says(name: str) -> None:
    socket = unit(DEPLOY / f"systemd/v2-{name}.socket")["Socket"]
    assert socket["ListenStream"] == f"127.0.0.1:{Settings.model_fields[f'{name}_port'].default}"


@pytest.mark.parametrize(("name", "login"), [("receiver", "v2_hook"), ("api", "v2_front")])
def test_what_faces_the_outside_is_given_no_login_but_its_own(name: str, login: str) -> None:
    for given in (env(DEPLOY / f"systemd/etc/{name}.env"), COMPOSE["services"][name]["environment"]):
        assert set(given) <= SETTINGS
        assert "V2_DATABASE_URL" not in given and "V2_DAGSTER_DATABASE_URL" not in given
        assert login in given[f"V2_{name.upper()}_DATABASE_URL"]


def test_the_containers_name_settings_services_volumes_and_files_that_exist() -> None:
    services = COMPOSE["services"]
    for name, service in services.items():
        named = [n for n in service.get("environment", {}) if n.startswith("V2_")]
        assert set(named) <= SETTINGS, name
        for other in service.get("depends_on", ()):
            assert other in services, name
        for mode in (service.get("network_mode", ""), service.get("pid", "")):
            assert mode.removeprefix("service:") in {"", *services}, name
        assert not (service.get("network_mode") and service.get("ports")), "a shared network publishes at its owner"
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert source == "./private" or (DEPLOY / "compose" / source).exists(), volume
            else:
                assert source in COMPOSE["volumes"], volume
    text = (DEPLOY / "compose/compose.yaml").read_text(encoding="utf-8")
    asked = set(re.findall(r"(?<!\$)\$\{(\w+)", text))
    assert asked == set(env(DEPLOY / "compose/example.env"))


def test_the_image_is_made_of_files_that_exist() -> None:
    text = (DEPLOY / "compose/Dockerfile").read_text(encoding="utf-8")
    for line in re.findall(r"^COPY (.+)$", text, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
            taken = (DEPLOY / "compose/Dockerfile.dockerignore").read_text(encoding="utf-8").split()
            assert f"!{source}" in taken


def test_the_proxy_hands_on_to_the_ports_of_the_settings_and_lets_nobody_in_without_a_password() -> None:
    text = (DEPLOY / "nginx/v2.conf").read_text(encoding="utf-8")
    people, rest = text.split("server_name hooks.example.com;\n\n    ssl_certificate ")
    hooks, api = rest.split("server_name api.example.com;\n")
    ports = {name: Settings.model_fields[f"{name}_port"].default for name in ("ui", "monitor", "receiver", "api")}
    assert f"location / {{\n        proxy_pass http://127.0.0.1:{ports['ui']};" in people
    assert f"location /reports/ {{\n        proxy_pass http://127.0.0.1:{ports['monitor']};" in people
    assert re.findall(r"proxy_pass +http://127.0.0.1:(\d+)", hooks) == [str(ports["receiver"])]
    assert re.findall(r"proxy_pass +http://127.0.0.1:(\d+)", api) == [str(ports["api"])]
    assert people.count("auth_basic off") == 1 and "auth_basic_user_file" in people
    largest = int(re.search(r"client_max_body_size +(\d+)m", hooks)[1]) * 2**20  # type: ignore[index]
    assert largest > Settings.model_fields["receiver_largest_body"].default, "the receiver has to say 413 itself"


def test_the_proxy_knows_each_way_that_a_page_of_another_site_has_and_logs_no_query() -> None:
    """tests/edge attacks it with a real nginx; this holds what must be in the file wherever nginx is not installed."""
    text = (DEPLOY / "nginx/v2.conf").read_text(encoding="utf-8")
    people = text[text.index("# People:") : text.index("# The sources:")]
    for rule in ("if ($v2_elsewhere) { return 403; }", "if ($v2_foreign)", "if ($v2_form)", "if ($v2_graphql = 0)"):
        assert rule in people
    assert (
        'proxy_set_header     X-V2-Tasks-Key    "";' in people
        and "include              /etc/nginx/v2/ui-key.conf;" in people
    )
    formats = re.findall(r"log_format \w+ '(.*)'", text)
    assert formats and not re.search(r"\$(request|request_uri|args|query_string|http_referer)\b", formats[0])
    assert set(re.findall(r"access_log +([^;]+);", text)) == {"off", "/var/log/nginx/access.log v2"}


def test_no_container_can_look_into_another_and_each_is_given_the_secrets_that_it_uses() -> None:
    services = COMPOSE["services"]
    image = (DEPLOY / "compose/Dockerfile").read_text(encoding="utf-8")
    own = {name: services[name].get("user") for name in FACING}
    assert own == {"receiver": "v2-receiver", "api": "v2-api"}
    for user in own.values():
        assert f"--shell /usr/sbin/nologin {user}" in image
    for name, service in services.items():
        assert "pid" not in service and "privileged" not in service and "cap_add" not in service, name
        if name not in ("postgres", "proxy"):
            assert service["cap_drop"] == ["ALL"] and "no-new-privileges:true" in service["security_opt"], name
    held = {name: set(service.get("environment", ())) & KEYS for name, service in services.items()}
    alerts = {"V2_ALERT_SLACK_URL", "V2_ALERT_SMTP_URL"}
    assert held.pop("daemon") == held.pop("code-server") == KEYS - {"V2_API_TASKS_KEY"}
    assert held.pop("migrate") == held.pop("backup") == {"V2_SECRET_KEY"}
    assert held.pop("monitor") == alerts
    assert held.pop("webserver") == {"V2_UI_KEY", "V2_API_TASKS_KEY"}
    assert held.pop("receiver") == {"V2_SECRET_KEY", "V2_FUB_SYSTEM_KEY"}
    assert held.pop("api") == {"V2_API_TASKS_KEY"}
    assert not any(held.values()), held


def test_the_database_of_the_containers_does_not_start_with_a_password_of_the_example(tmp_path: Path) -> None:
    """The entrypoint as it is, with a program in place of the image's."""
    (tmp_path / "docker-entrypoint.sh").write_text('#!/bin/sh\necho started "$@"\n')
    (tmp_path / "docker-entrypoint.sh").chmod(0o755)
    [script] = [v.split(":")[0] for v in COMPOSE["services"]["postgres"]["volumes"] if "first-start" in v]
    assert COMPOSE["services"]["postgres"]["entrypoint"] == [
        "sh",
        "/docker-entrypoint-initdb.d/first-start.sh",
        "start",
    ]
    names = [name for name in env(DEPLOY / "compose/example.env") if name.endswith("_PASSWORD")]
    inside = {name: f"{number}-good" for number, name in enumerate(names)}
    inside["POSTGRES_PASSWORD"] = inside.pop("ADMIN_PASSWORD")

    def start(given: dict[str, str]) -> subprocess.CompletedProcess[str]:
        argv = ["sh", str(DEPLOY / "compose" / script), "start", "postgres", "-c", "a=b"]
        path = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
        return subprocess.run(argv, env=path | given, capture_output=True, text=True, check=False)

    assert start(inside).stdout == "started postgres -c a=b\n"
    for name in inside:
        for value in ("change-me", "", "change-me-2"):
            refused = start(inside | {name: value})
            assert (refused.returncode, refused.stdout) == (78, "") and name in refused.stderr
