"""What the platform takes while nothing happens: a few users, all read, and the real daemon with its real times.

    .venv/bin/python -m bench.rest --users 5 --minutes 5

Printed as JSON: processor and memory (PSS, MB) of each process, runs included; ticks, runs and bytes of WAL an hour;
connections by application name at the beginning, highest and at the end. A machine that is busy with something else
makes fewer ticks, for they are late, and each takes little more of a processor.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import psutil

from resources.embedded import DatabaseUrls, ensure_databases
from resources.postgres import Database
from resources.processes import free_port, marked
from resources.settings import Settings, load_settings
from v2_assets.cli.demo import Demo, onboarded
from v2_assets.cli.sandbox_users import credentials_of, enter_users, sandbox_settings
from v2_assets.platform import Platform

_CONNECTIONS = (
    "select application_name, count(*) from pg_stat_activity where backend_type = 'client backend'"
    " group by 1 order by 1"
)
SAMPLE_S = 5.0


def settings_of(home: Path) -> Settings:
    """Everything at its default but the sandbox's address and free ports."""
    ports = {name: free_port() for name in ("ui_port", "receiver_port", "api_port", "monitor_port")}
    base = load_settings(home=home, database_url=None, **ports)
    url = f"http://127.0.0.1:{Platform(base).sandbox_port}"
    more = sandbox_settings(base, url)
    return load_settings(home=home, database_url=None, alert_dry_run=True, **ports, **more)


def processes(home: Path, platform: Platform) -> dict[str, list[psutil.Process]]:
    """The living processes by name. Runs are forks of a server process of the daemon's, which collects them."""
    found: dict[str, list[psutil.Process]] = {}
    named = {status.pid: status.name for status in platform.status() if status.pid}
    for pid in {*named, *(each.pid for each in marked("V2_PLATFORM_HOME", str(home)))}:
        try:
            process = psutil.Process(pid)
            name = named.get(pid, "runs")
            found.setdefault(name, []).append(process)
            if name == "postgres":
                found[name] += process.children(recursive=True)
        except psutil.Error:
            continue
    return found


def processor(found: dict[str, list[psutil.Process]]) -> Counter[str]:
    """Seconds that those of a name have used, with their children that have ended."""
    used: Counter[str] = Counter()
    for name, each in found.items():
        for process in each:
            with suppress(psutil.Error):
                used[name] += sum(process.cpu_times()[:4])  # type: ignore[assignment]
    return used


def memory(found: dict[str, list[psutil.Process]]) -> Counter[str]:
    """Proportional megabytes by name: what is shared is counted once."""
    taken: Counter[str] = Counter()
    for name, each in found.items():
        for process in each:
            with suppress(psutil.Error):
                taken[name] += round(process.memory_full_info().pss / 1e6)
    return taken


def counted(urls: DatabaseUrls) -> dict[str, Any]:
    """What only grows."""
    with Database(urls.dagster).connect() as connection:
        ticks = dict(connection.execute("select selector_id, count(*) from job_ticks group by 1").fetchall())
        runs = connection.execute("select count(*) from runs").fetchone()
        wal = connection.execute("select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint").fetchone()
    return {"ticks": sum(ticks.values()), "runs": runs[0] if runs else 0, "wal": wal[0] if wal else 0}


def main() -> None:
    """Plays, measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--users", type=int, default=5)
    parser.add_argument("--minutes", type=float, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="v2-rest-") as folder, ExitStack() as stack:
        home = Path(folder)
        home.chmod(0o711)
        demo = Demo(lambda text: print(text, file=sys.stderr), home / "logs")
        settings = settings_of(home)
        scale = ["--people", "40", "--deals", "20", "--seats", str(asked.users)]
        platform = Platform(settings, scale=scale)
        stack.callback(platform.down)
        platform.up(sandbox=True)
        urls = ensure_databases(settings)
        database = Database(urls.v2)
        enter_users(database, settings, credentials_of(f"http://127.0.0.1:{platform.sandbox_port}"))
        demo.wait(lambda: onboarded(database), "onboarding")
        time.sleep(60)
        before, began = counted(urls), time.monotonic()
        used, connections, highest, pss = processor(processes(home, platform)), [], Counter[str](), Counter[str]()
        while time.monotonic() - began < asked.minutes * 60:
            time.sleep(SAMPLE_S)
            pss |= memory(processes(home, platform))
            with database.connect() as connection:
                connections.append(dict(connection.execute(_CONNECTIONS).fetchall()))
            highest |= Counter(connections[-1])
        used = {name: seconds - used[name] for name, seconds in processor(processes(home, platform)).items()}
        took, after = time.monotonic() - began, counted(urls)
        per_hour = {name: round((after[name] - before[name]) * 3600 / took) for name in before}
        percent = {name: round(100 * seconds / took, 2) for name, seconds in used.items()}
        print(
            json.dumps(
                {
                    "minutes": round(took / 60, 1),
                    "per_hour": per_hour,
                    "percent_of_a_core": percent | {"sum": round(sum(percent.values()), 1)},
                    "pss_mb": dict(pss) | {"sum": sum(pss.values())},
                    "connections": {"first": connections[0], "highest": dict(highest), "last": connections[-1]},
                },
                indent=1,
            )
        )


if __name__ == "__main__":
    main()
