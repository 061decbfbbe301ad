"""Whom the server runs as. Postgres refuses to run as root, and root is what a container usually is.

As anybody else, the server runs as that person. As root it runs as `nobody`, who owns only the data folder; if the
binaries or the home lie below a folder that is closed to others (/root), it keeps the one capability to pass there.
"""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from resources.embedded import become
from resources.errors import DatabaseError

_NOBODY = "nobody"
# Read and enter anything; where a container was denied that one, it commonly has the stronger second.
_CAP_DAC_READ_SEARCH = 2
_CAP_DAC_OVERRIDE = 1


@dataclass(frozen=True, slots=True)
class Account:
    """How to run a program of the server. `uid` None: as ourselves."""

    uid: int | None = None
    gid: int | None = None
    capability: int | None = None

    def command(self, argv: Sequence[str]) -> list[str]:
        """The command line that runs `argv` under this account (same pid, after an exec)."""
        if self.uid is None:
            return list(argv)
        capability = "-" if self.capability is None else str(self.capability)
        return [sys.executable, "-I", become.__file__, str(self.uid), str(self.gid), capability, *argv]

    def own(self, path: Path) -> None:
        """Give a file or folder to the account."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)


def server_account(program: Path, data: Path) -> Account:
    """The account that can run `program` and own `data`, whose parent exists.

    Raises DatabaseError when we are root and no way is found to run without being it, or when the data are another's.
    """
    owner = data.stat().st_uid if data.exists() else None
    if os.geteuid() != 0:
        if owner not in (None, os.geteuid()):
            raise DatabaseError(
                f"{data} belongs to another account (uid {owner}).",
                hint="start it as that account or as root, or set V2_HOME to a folder of your own",
                retryable=False,
            )
        return Account()
    try:
        # Data that somebody made before us as an ordinary user stay that user's.
        entry = pwd.getpwuid(owner) if owner else pwd.getpwnam(_NOBODY)
    except KeyError:
        raise DatabaseError(
            "The embedded Postgres must not run as root, and there is no other account to run it as.",
            hint="run as an ordinary user, or set V2_DATABASE_URL to another server",
            retryable=False,
        ) from None
    for capability in (None, _CAP_DAC_READ_SEARCH, _CAP_DAC_OVERRIDE):
        account = Account(entry.pw_uid, entry.pw_gid, capability)
        check = account.command(["-check", str(program), f"{data.parent}/"])
        if subprocess.run(check, check=False, capture_output=True).returncode == 0:  # noqa: S603
            return account
    raise DatabaseError(
        f"Started by root, the embedded Postgres runs as `{entry.pw_name}`, who may not enter {data.parent} or run it.",
        hint="run as an ordinary user, or move the project or V2_HOME to a folder that others may enter",
        retryable=False,
    )
