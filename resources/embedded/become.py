"""Give up root, then become another program: `python become.py <uid> <gid> <capability or -> <program> [argument ...]`.

A program of its own, because a process with threads must not run Python between fork and exec. With a capability
(its number) the new program keeps that one, which lets it reach its files below a folder closed to others such as
/root. With the program `-check`, exits 0 if the folders that follow can be entered and the programs be run, 1 if not.
"""

import ctypes
import os
import subprocess
import sys

_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAPABILITY_VERSION_3 = 0x20080522


class _Header(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _Data(ctypes.Structure):
    _fields_ = [
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    ]


def _call(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def become(uid: int, gid: int, capability: int | None) -> None:
    """Drop to `uid` and `gid` with no other group, keeping at most one capability over the coming exec (Linux)."""
    os.setgroups([])
    os.setgid(gid)
    if capability is None:
        os.setuid(uid)
        return
    libc = ctypes.CDLL(None, use_errno=True)
    _call(libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0))
    os.setuid(uid)
    bit = 1 << capability
    header = _Header(_CAPABILITY_VERSION_3, 0)
    data = (_Data * 2)(_Data(bit, bit, bit), _Data(0, 0, 0))
    _call(libc.capset(ctypes.byref(header), data))
    _call(libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability, 0, 0))


def _reachable(path: str) -> bool:
    # Tried, not asked: access(2) leaves the kept capability out of account.
    try:
        if path.endswith("/"):
            os.stat(path + ".")  # noqa: PTH116 - pathlib drops the dot, and only the dot needs the right to enter
            return True
        return subprocess.run([path, "--version"], check=False, capture_output=True).returncode == 0  # noqa: S603
    except OSError:
        return False


def main(arguments: list[str]) -> None:
    uid, gid, capability, program, *rest = arguments
    become(int(uid), int(gid), None if capability == "-" else int(capability))
    if program == "-check":
        sys.exit(0 if all(map(_reachable, rest)) else 1)
    os.umask(0o077)
    os.execv(program, [program, *rest])  # noqa: S606 - no shell is the point


if __name__ == "__main__":
    main(sys.argv[1:])
