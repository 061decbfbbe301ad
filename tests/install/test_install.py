"""The manual, typed on a fresh Debian with a real systemd: install, use, lose all, restore, upgrade, be killed.

The commands are those of docs/howto, as they stand there; only what a page leaves open (passwords, names of releases)
is filled in. One machine, one story: each test goes on where the one before it stopped (`make install-test`, with -x).
"""

from __future__ import annotations

import json
import os
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


def cache() -> Path:
    """Where the base of machines is kept between calls."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "v2-install-test"


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    """Packages and code are on it, and it is booted. The code is what is committed here."""
    try:
        prepare()
        folder = Path(tempfile.mkdtemp(prefix="v2-install-"))
        made = Machine(folder, cache() / "base")
        made.build()
    except CannotRun as why:
        pytest.fail(f"the manual's installation was not tested: {why}")
    try:
        made.install(block("install.md", "packages"))
        subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(made.root / "opt/v2")], check=True)
        made.install(block("install.md", "code"))
        made.boot()
        yield made
    finally:
        made.stop()
        print(f"what was typed and said: {folder / 'typed.log'}")


def wait(what: str, holds: Any, timeout_s: float = 240) -> None:
    """Until it holds; fails with the words of `what`."""
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, f"after {timeout_s:.0f} s it does not hold that {what}"
        time.sleep(2)


def states(machine: Machine) -> list[str]:
    said = machine.type(f"systemctl is-active {' '.join(SERVICES)} v2-backup.timer v2.target || true")
    return said.split()


def running(machine: Machine) -> bool:
    return set(states(machine)) == {"active"}


def healthy(machine: Machine) -> bool:
    return "200" in machine.type("curl -so /dev/null -w '%{http_code}' http://127.0.0.1:3010/health || true")


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


def test_the_manual_installs_a_platform_that_its_doctor_finds_well(machine: Machine) -> None:
    passwords = block("install.md", "database").replace("…", f'"{SECRET}"'.replace("$", r"\$"))
    machine.type(passwords)
    machine.type(passwords.partition("sudo -u postgres psql -c")[0])  # a second time changes nothing
    key = machine.type(block("install.md", "settings")).strip().splitlines()[-1]
    settings = json.loads(
        machine.type(
            ".venv/bin/python -c 'import json; from resources.settings import Settings;"
            " from v2_assets.cli.sandbox_users import sandbox_settings;"
            f' print(json.dumps(sandbox_settings(Settings(), "{SANDBOX}")))\''
        )
    ) | {"receiver_public_url": "https://hooks.example.com"}
    for name in ("owner", "v2", "receiver", "api"):
        fill(machine, name, {"V2_SECRET_KEY": key} if name != "api" else {})
    fill(machine, "v2", {f"V2_{each.upper()}": value for each, value in settings.items()})
    fill(machine, "receiver", {"V2_FUB_SYSTEM_KEY": settings["fub_system_key"]})
    machine.type(
        "systemd-run --unit=sandbox --setenv=SSL_CERT_FILE=/etc/nginx/v2/tls/fullchain.pem -p WorkingDirectory=/opt/v2"
        " .venv/bin/python -m sandbox --port 8700 --home /var/lib/sandbox --people 60 --deals 24 --seats 2,1"
    )
    machine.type(block("install.md", "processes"))
    wait("all units run", lambda: running(machine))
    wait("the monitor finds nothing silent", lambda: healthy(machine))
    machine.type(block("install.md", "look"))
    assert sql(machine, "select count(*) from ops.incident") == "0", "a first start is no incident"
