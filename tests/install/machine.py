"""A Debian machine in a folder: built by debootstrap, booted by systemd-nspawn with a real systemd as process 1.

Before it boots it has this machine's network, for packages; booted it has a loopback device and nothing else, so that
no port of the machine it runs on is in its way.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

RELEASE = "bookworm"
#: What a server of this release has before anything of ours is installed on it.
BASE = ("systemd", "systemd-sysv", "dbus", "ca-certificates", "iproute2", "procps", "curl", "openssl", "sudo")
NEEDED = {"systemd-nspawn": "systemd-container", "debootstrap": "debootstrap"}
HOSTNAME = "v2-install"
#: The names that the manual writes where a reader puts their own.
NAMES = ("v2.example.com", "hooks.example.com", "api.example.com")
_BOOT_S = 600.0
#: How systemd-nspawn ends when the machine reboots (systemd-nspawn(1)).
_REBOOTS = 133
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


class CannotRun(Exception):
    """This machine cannot boot another one; the text says what it lacks."""


def cache() -> Path:
    """Where what never changes is kept between calls: the base of machines, and pip's cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "v2-install-test"


def prepare() -> Path:
    """The folder of a machine's base, made when there is none, with the programs that boot one. Raises CannotRun."""
    _bring_programs()
    base = cache() / "base"
    if not base.exists():
        draft = base.with_name(base.name + ".unfinished")
        _remove(draft)
        draft.parent.mkdir(parents=True, exist_ok=True)
        argv = ["debootstrap", "--variant=minbase", f"--include={','.join(BASE)}", RELEASE, str(draft), _mirror()]
        _or_cannot(argv)
        draft.rename(base)
    _or_cannot(["systemd-nspawn", "-q", "-D", str(base), "--register=no", "--keep-unit", "--pipe", "true"])
    return base


def _or_cannot(argv: list[str]) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CannotRun(f"{argv[0]} failed: {(done.stdout + done.stderr).strip()[-300:]}")


def _bring_programs() -> None:
    if os.geteuid() != 0:
        raise CannotRun("booting a machine wants root")
    missing = [package for program, package in NEEDED.items() if shutil.which(program) is None]
    if not missing:
        return
    if shutil.which("apt-get") is None:
        raise CannotRun(f"there is no {' and no '.join(missing)}, and no apt-get to bring them")
    for arguments in (("update",), ("install", "-y", "--no-install-recommends", *missing)):
        _or_cannot(["apt-get", "-q", *arguments])


@dataclass(slots=True)
class Machine:
    """One machine. `folder` holds its root; `base` never changes, so it is kept between calls, as pip's cache is."""

    folder: Path
    base: Path
    _process: subprocess.Popen[bytes] | None = None
    said: list[str] = field(default_factory=list)

    @property
    def root(self) -> Path:
        """The machine's file system."""
        return self.folder / "root"

    def build(self) -> None:
        """A fresh root from the base."""
        self.folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-a", "--reflink=auto", str(self.base), str(self.root)], check=True)
        (self.root / "etc/hosts").write_text(f"127.0.0.1 localhost {HOSTNAME} {' '.join(NAMES)}\n")
        (self.root / "etc/hostname").write_text(HOSTNAME + "\n")
        if _CERTIFICATES.exists():
            shutil.copyfile(_CERTIFICATES, self.root / "etc/ssl/registries.pem")

    def install(self, commands: str) -> str:
        """Runs a page's commands that bring software, before the machine boots, with this machine's network."""
        given = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        given |= {"PIP_CERT": "/etc/ssl/registries.pem", "DEBIAN_FRONTEND": "noninteractive", "LANG": "C.UTF-8"}
        argv = ["systemd-nspawn", "-q", "-D", str(self.root), "--register=no", "--keep-unit", "--pipe"]
        argv += ["--bind-ro=/etc/resolv.conf", *(f"--setenv={name}={value}" for name, value in given.items())]
        pip = self.base.with_name("pip")
        pip.mkdir(exist_ok=True)
        argv += [f"--bind={pip}", f"--setenv=PIP_CACHE_DIR={pip}"]
        links = given.get("PIP_FIND_LINKS")
        if links and Path(links).is_dir():
            argv.append(f"--bind-ro={links}")
        return self._run([*argv, "bash", "-euo", "pipefail", "-c", commands], commands, 3600)

    def boot(self) -> None:
        """Starts the machine and waits until its systemd has started what it wants."""
        argv = ["systemd-nspawn", "-q", "-D", str(self.root), "--boot", "--private-network", "--register=no"]
        argv += ["--keep-unit", f"--hostname={HOSTNAME}"]
        with (self.folder / "console.log").open("ab") as console:
            self._process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=console, stderr=console, start_new_session=True
            )
        self._wait_until_booted()

    def reboot(self) -> None:
        """What an operator's `reboot` does: here the machine ends saying that it wants to begin again."""
        self.type("systemctl --no-block reboot")
        assert self._process is not None and self._process.wait(_BOOT_S) == _REBOOTS
        self.boot()

    def type(self, commands: str, *, fails: bool = False, timeout_s: float = 900) -> str:
        """What root's shell answers in the booted machine. Fails when a command does (unless it should)."""
        argv = ["nsenter", "-t", str(self._leader()), "-a", "env", "-i", "HOME=/root", "LANG=C.UTF-8", "COLUMNS=200"]
        argv += ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
        return self._run(
            [*argv, "bash", "-euo", "pipefail", "-c", f"cd /opt/v2\n{commands}"], commands, timeout_s, fails
        )

    def stop(self) -> None:
        """Ends the machine and removes its root."""
        if self._process is not None:
            self._process.terminate()  # which shuts the machine down
            try:
                self._process.wait(_BOOT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        _remove(self.root)

    def _run(self, argv: list[str], commands: str, timeout_s: float, fails: bool = False) -> str:
        self.said.append(f"# {commands.strip()}")
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=timeout_s
        )
        self.said.append(done.stdout + done.stderr)
        with (self.folder / "typed.log").open("a", encoding="utf-8") as log:
            log.write("\n".join(self.said[-2:]) + "\n")
        wrong = done.returncode == 0 if fails else done.returncode != 0
        assert not wrong, f"{commands}\nexit {done.returncode}\n{done.stdout[-6000:]}\n{done.stderr[-6000:]}"
        return done.stdout

    def _leader(self) -> int:
        """The pid, out here, of the machine's first process."""
        assert self._process is not None, "the machine is not booted"
        deadline = time.monotonic() + _BOOT_S
        while time.monotonic() < deadline:
            for process in psutil.Process(self._process.pid).children():
                if process.name() == "systemd":
                    return process.pid
            time.sleep(0.2)
        raise AssertionError(f"the machine did not boot: see {self.folder / 'console.log'}")

    def _wait_until_booted(self) -> None:
        deadline = time.monotonic() + _BOOT_S
        while time.monotonic() < deadline:
            argv = ["nsenter", "-t", str(self._leader()), "-a", "systemctl", "is-system-running"]
            done = subprocess.run(argv, capture_output=True, text=True, check=False)
            if done.stdout.strip() in ("running", "degraded"):
                return
            time.sleep(0.5)
        raise AssertionError(f"the machine did not boot within {_BOOT_S:.0f} s: see {self.folder / 'console.log'}")


def _remove(root: Path) -> None:
    """A root may have /proc and /sys mounted in it, which are this machine's: those are let go, and not entered."""
    subprocess.run(["umount", "--quiet", str(root / "proc"), str(root / "sys")], check=False)
    subprocess.run(["rm", "-rf", "--one-file-system", str(root)], check=False)


def _mirror() -> str:
    """Where this machine has its own packages from."""
    argv = ["apt-get", "indextargets", "--format", "$(SITE) $(RELEASE) $(COMPONENT)", "Created-By: Packages"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    for line in done.stdout.splitlines():
        site, release, component = (*line.split(), "", "", "")[:3]
        if release == RELEASE and component == "main":
            return site
    raise CannotRun(f"this machine has no packages of Debian {RELEASE} to build another one from")


if __name__ == "__main__":
    try:
        prepare()
    except CannotRun as why:
        sys.exit(f"NOT RUN: the manual's installation. {why}")
