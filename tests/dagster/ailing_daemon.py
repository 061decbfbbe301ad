"""The platform's daemon, one of whose threads fails once a run works: `python -m … dies|hangs <file> -w <workspace>`.

The file is made when it has happened, so the daemon that begins again is well.
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dagster import DagsterRunStatus, RunsFilter
from dagster._daemon.daemon import SensorDaemon

from v2_assets import daemon


def fall_ill(kind: str, happened: Path) -> None:
    """The sensors' thread goes well until its sensor has started a run."""
    well = SensorDaemon.core_loop

    def core_loop(self: SensorDaemon, context: Any, ending: Any) -> Iterator[Any]:
        for each in well(self, context, ending):
            yield each
            if context.instance.get_runs_count(RunsFilter(statuses=[DagsterRunStatus.STARTED])):
                happened.touch()
                if kind == "dies":
                    raise SystemExit
                time.sleep(600)

    SensorDaemon.core_loop = core_loop  # pyright: ignore[reportAttributeAccessIssue]


if __name__ == "__main__":
    _, kind, path, *sys.argv[1:] = sys.argv
    daemon.BEAT_EVERY_S, daemon.SILENT_AFTER_S, daemon.LOOK_EVERY_S, daemon.YOUNG_S = 1, 40.0, 0.5, 1.0
    if not Path(path).exists():
        fall_ill(kind, Path(path))
    daemon.main()
