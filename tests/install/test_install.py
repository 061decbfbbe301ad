"""The manual, typed on a fresh Debian with a real systemd: install, use, lose all, restore, upgrade, be killed.

The commands are those of docs/howto, as they stand there; only what a page leaves open (passwords, names of releases)
is filled in. One machine, one story: each test goes on where the one before it stopped (`make install-test`, with -x).
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.install.machine import CannotRun, Machine, prepare
from tests.pages import ROOT, block

pytestmark = [pytest.mark.machine, pytest.mark.timeout(3600)]

SANDBOX = "http://127.0.0.1:8700"
SECRET = "a'b$c;d e%f"  # a password may be anything, and each reader of a settings file has to agree on what it is
IN_URL = "a%27b%24c%3Bd%20e%25f"
UNITS = ("code-server", "daemon", "webserver", "receiver", "api", "monitor")
SERVICES = [f"v2-{name}.service" for name in UNITS]
_ROWS = "select sum(n_live_tup) from pg_stat_user_tables where schemaname = 'v2'"
_SANDBOX_UNIT = """
[Service]
WorkingDirectory=/opt/v2
ExecStart=/opt/v2/.venv/bin/python -m sandbox --port 8700 --home /var/lib/sandbox --people 60 --deals 24 --seats 2,1
[Install]
WantedBy=multi-user.target
"""
_CERTIFICATE = """
install -d -m 0700 /etc/nginx/v2/tls
cd /etc/nginx/v2/tls
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout privkey.pem -out fullchain.pem -subj /CN=v2.example.com \
    -addext subjectAltName=DNS:v2.example.com,DNS:hooks.example.com,DNS:api.example.com 2>/dev/null
cp fullchain.pem /usr/local/share/ca-certificates/v2-install-test.crt
update-ca-certificates >/dev/null
"""


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    """Packages and code are on it, and it is booted. The code is what is committed here."""
    try:
        base = prepare()
    except CannotRun as why:
        pytest.fail(f"the manual's installation was not tested: {why}")
    folder = Path(tempfile.mkdtemp(prefix="v2-install-"))
    made = Machine(folder, base)
    try:
        made.build()
        made.install(block("install.md", "packages"))
        source = made.root / "srv/v2.git"
        subprocess.run(["git", "clone", "--quiet", "--bare", "--no-hardlinks", str(ROOT), str(source)], check=True)
        made.install("git clone --quiet /srv/v2.git /opt/v2")
        made.install(block("install.md", "code"))
        made.boot()
        yield made
    finally:
        made.stop()
        print(f"what was typed and said: {folder / 'typed.log'}")


def next_release(machine: Machine) -> None:
    """A made-up release after this one, as `next` where the machine's clone came from: it has one revision more."""
    with tempfile.TemporaryDirectory() as folder:
        git = ["git", "-C", folder, "-c", "user.name=next", "-c", "user.email=next@example.com"]
        subprocess.run(["git", "clone", "--quiet", str(machine.root / "srv/v2.git"), folder], check=True)
        versions = Path(folder) / "v2_assets/schema/migrations/versions"
        head = sorted(path.stem for path in versions.glob("[0-9]*.py"))[-1]
        (versions / "9999_made_up.py").write_text(
            f'from alembic import op\n\nrevision, down_revision = "9999_made_up", "{head}"\n\n\n'
            'def upgrade():\n    op.execute("create table ops.made_up (id int)")\n'
        )
        subprocess.run([*git, "add", "-A"], check=True)
        subprocess.run([*git, "commit", "--quiet", "-m", "The next release"], check=True)
        refs = ["HEAD:refs/heads/releases", "HEAD:refs/tags/next"]
        subprocess.run([*git, "push", "--quiet", "origin", *refs], check=True)


def wait(what: str, holds: Any, timeout_s: float = 1200) -> None:
    """Until it holds, on a busy machine as well; fails with the words of `what`."""
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, f"after {timeout_s:.0f} s it does not hold that {what}"
        time.sleep(2)


def well(machine: Machine) -> bool:
    """All units run, the timer too, and nothing that should give signs of life is silent."""
    said = machine.type(
        f"systemctl is-active {' '.join(SERVICES)} v2-backup.timer v2.target || true\n"
        "curl -sfo /dev/null http://127.0.0.1:3010/health && echo active || echo silent\n"
        # The pages refuse who does not come through the proxy, and that is an answer.
        "curl -so /dev/null http://127.0.0.1:3000/server_info && echo active || echo silent"
    )
    return set(said.split()) == {"active"}


def gets_well(machine: Machine) -> None:
    wait("all units run and give signs of life", lambda: well(machine))


def sql(machine: Machine, statement: str) -> str:
    return machine.type(f'sudo -u postgres psql -d v2 -qAtc "{statement}"').strip()


def v2(machine: Machine, arguments: str) -> Any:
    """The data of a command's Result."""
    said = json.loads(machine.type(f"v2 --json {arguments}"))
    assert said["success"], said
    return said["data"]


def fill(machine: Machine, name: str, values: dict[str, Any]) -> None:
    """Fills a settings file in, as a person would: passwords, and these values."""
    path = machine.root / f"etc/v2/{name}.env"
    lines = path.read_text(encoding="utf-8").replace("PASSWORD", IN_URL).splitlines()
    kept = [line for line in lines if line.partition("=")[0] not in values]
    path.write_text("\n".join([*kept, *(f"{each}={value}" for each, value in values.items())]) + "\n", encoding="utf-8")


def equals_the_world(machine: Machine) -> None:
    """Every record that the sources have is in V2 or listed with a reason."""
    machine.type("v2 reconcile")


def incidents(machine: Machine) -> str:
    """What people were told of, but for what a source or its data gave cause to."""
    return sql(machine, "select string_agg(code, ' ' order by id) from ops.incident where code <> 'backlog_large'")


def test_the_manual_installs_a_platform_that_its_doctor_finds_well(machine: Machine) -> None:
    passwords = block("install.md", "database").replace("…", f'"{SECRET}"'.replace("$", r"\$"))
    machine.type(passwords)
    machine.type(passwords.partition("sudo -u postgres psql -c")[0])  # a second time changes nothing
    key, ui_key, tasks_key = machine.type(block("install.md", "settings")).strip().splitlines()[-3:]
    settings = json.loads(
        machine.type(
            ".venv/bin/python -c 'import json; from resources.settings import Settings;"
            " from v2_assets.cli.sandbox_users import sandbox_settings;"
            f' print(json.dumps(sandbox_settings(Settings(), "{SANDBOX}")))\''
        )
    ) | {"receiver_public_url": "https://hooks.example.com", "fub_sweep_cron": "* * * * *"}
    sources = {f"V2_{name.upper()}": settings.pop(name) for name in ("fub_system_key", "skyslope_client_secret")}
    sources["V2_SECRET_KEY"] = key
    own = {
        "v2": {f"V2_{name.upper()}": value for name, value in settings.items()},
        "keys": sources,
        "web": {"V2_UI_KEY": ui_key, "V2_API_TASKS_KEY": tasks_key},
        "owner": {},
        "receiver": {"V2_SECRET_KEY": key, "V2_FUB_SYSTEM_KEY": sources["V2_FUB_SYSTEM_KEY"]},
        "api": {"V2_API_TASKS_KEY": tasks_key},
    }
    for name, values in own.items():
        fill(machine, name, values)
    (machine.root / "etc/systemd/system/sandbox.service").write_text(_SANDBOX_UNIT, encoding="utf-8")
    machine.type(_CERTIFICATE + "systemctl daemon-reload\nsystemctl enable --now sandbox")
    machine.type(block("install.md", "processes"))
    gets_well(machine)
    machine.type(block("install.md", "look"))
    assert incidents(machine) == "", "a first start is no incident"


def test_nginx_asks_people_for_a_password_and_hands_webhooks_on(machine: Machine) -> None:
    machine.type(
        block("install.md", "nginx").replace("-B /etc/nginx/v2/people anna", "-Bb /etc/nginx/v2/people anna a")
    )
    # nginx is told to reload, and listens anew a moment later.
    wait("nginx listens", lambda: ":443 " in machine.type("ss -Htln"))
    statuses = machine.type(block("install.md", "outside").replace("-u anna", "-u anna:a")).splitlines()
    assert [line.split()[1] for line in statuses[:3]] == ["401", "200", "404"]
    assert json.loads(statuses[3])["ok"]


def test_no_other_account_of_the_machine_gets_past_a_port(machine: Machine) -> None:
    ports = {int(line.split()[3].rpartition(":")[2]) for line in machine.type("ss -Htln").splitlines()}
    assert ports == {80, 443, 3000, 3010, 3020, 3030, 5432, 8700}, "each of them is in docs/explanation/security.md"
    graphql = (
        "-X POST -H 'content-type: application/json' -d '{\"query\": \"{version}\"}' http://127.0.0.1:3000/graphql"
    )
    machine.type("systemctl show -p MainPID --value v2-daemon > /run/daemon.pid")
    for account in ("v2-receiver", "v2-api", "nobody"):
        become = f"setpriv --reuid={account} --regid={account.replace('nobody', 'nogroup')} --clear-groups"
        for asked in (graphql, "http://127.0.0.1:3010/reports/1"):
            assert machine.type(f"{become} curl -so /dev/null -w '%{{http_code}}' {asked}") == "403", asked
        for refused in (
            "curl -s --unix-socket /run/v2-code-server/socket http://code/",
            "psql -w 'postgresql://v2_app@127.0.0.1/v2' -c 'select 1'",
            "cat /proc/$(cat /run/daemon.pid)/environ",
            "cat /etc/v2/v2.env",
        ):
            machine.type(f"{become} {refused}", fails=True)
    machine.type(
        "setpriv --reuid=v2-web --regid=v2-web --groups=v2 cat /proc/$(cat /run/daemon.pid)/environ", fails=True
    )


def test_a_user_is_onboarded_and_read_through_the_endpoints(machine: Machine) -> None:
    key = machine.type(f"curl -s {SANDBOX}/_world/credentials")
    (machine.root / "opt/v2/key.txt").write_text(json.loads(key)["users"][0]["fub"]["api_key"] + "\n")
    said = machine.type(block("keys.md", "onboard"))
    assert "fub: Complete" in said
    token = v2(machine, "token create --user jane@example.com")["token"]
    answer = machine.type(f"curl -s -H 'Authorization: Bearer {token}' https://api.example.com/leads/fub_people")
    assert json.loads(answer)["items"]


def test_a_webhook_reaches_v2_through_nginx(machine: Machine) -> None:
    wait("the webhooks are registered", lambda: v2(machine, "webhooks list")["registered"])
    machine.type(f'curl -sf -X POST {SANDBOX}/_world/touch -d \'{{"system": "fub", "entity": "people"}}\'')
    wait("the event is handled", lambda: sql(machine, "select 1 from ops.webhook_inbox where state = 'done' limit 1"))
    equals_the_world(machine)


def test_what_was_lost_comes_back_from_the_nightly_backup(machine: Machine) -> None:
    old = "/var/backups/v2/nightly/old /var/backups/v2/before-upgrade.old"
    machine.type(f"install -d -o v2-owner {old}; touch -d '30 days ago' {old}; systemctl start v2-backup.service")
    assert machine.type(f"ls -d {old} 2>/dev/null || true").split() == ["/var/backups/v2/before-upgrade.old"]
    newest = machine.type("ls -d /var/backups/v2/nightly/* | tail -1").strip()
    rows = sql(machine, _ROWS)
    machine.type("systemctl stop v2.target")
    failed = machine.type("journalctl --no-pager -u 'v2-*' | grep 'Failed with result' || true")
    assert not failed, "neither a first start nor a stop is a failure"
    machine.type("sudo -u postgres psql -qc 'drop database v2 with (force)' -c 'drop database dagster with (force)'")
    machine.type(block("install.md", "database").replace("…", f'"{SECRET}"'.replace("$", r"\$")))
    commands = block("backup.md", "systemd").replace("/var/backups/v2/monday", newest)
    said = machine.type(commands)
    assert "each table with as many as it had" in said
    assert sql(machine, _ROWS) >= rows
    gets_well(machine)
    assert "daemon_dead" not in incidents(machine), "what is being restored is not dead"
    equals_the_world(machine)


def test_the_key_is_changed_and_the_old_one_forgotten(machine: Machine) -> None:
    said = machine.type(block("keys.md", "systemd"))
    assert "fail" not in said
    gets_well(machine)
    machine.type(block("keys.md", "forget"))
    gets_well(machine)
    machine.type("v2 doctor")


def test_an_upgrade_migrates_and_going_back_is_possible(machine: Machine) -> None:
    here = machine.type("git rev-parse HEAD").strip()
    next_release(machine)
    machine.type(block("upgrade.md", "upgrade").replace("RELEASE", "next"))
    gets_well(machine)
    assert sql(machine, "select count(*) from ops.made_up") == "0"
    machine.type(block("upgrade.md", "back").replace("THE-RELEASE-BEFORE", here))
    gets_well(machine)
    machine.type("v2 doctor")
    machine.type("sed -i /V2_ALLOW_NEWER_SCHEMA/d /etc/v2/*.env; git checkout -q next; systemctl restart v2.target")
    gets_well(machine)
    equals_the_world(machine)


def test_processes_that_die_while_postgres_is_away_come_back_by_themselves(machine: Machine) -> None:
    machine.type("systemctl stop postgresql")
    machine.type(f"systemctl kill --signal KILL {' '.join(SERVICES)}")
    time.sleep(70)
    machine.type("systemctl start postgresql")
    gets_well(machine)
    equals_the_world(machine)


def test_a_sync_goes_on_when_postgres_restarts_under_it(machine: Machine) -> None:
    machine.type("v2 backfill --integration fub --no-wait")
    wait("it has begun", lambda: sql(machine, "select 1 from ops.sync_state where status = 'running' limit 1"))
    machine.type("systemctl restart postgresql")
    gets_well(machine)
    wait("nothing is pending", lambda: not sql(machine, "select 1 from ops.sync_state where status <> 'idle' limit 1"))
    equals_the_world(machine)


def test_after_a_reboot_all_is_as_before(machine: Machine) -> None:
    machine.reboot()
    gets_well(machine)
    assert "v2-" not in machine.type("systemctl list-units --failed --plain --no-legend")
    machine.type("v2 doctor")
    equals_the_world(machine)
