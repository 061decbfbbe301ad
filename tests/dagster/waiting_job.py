"""A job for the launcher's tests: it waits for a file, so that a test decides when it ends."""

import os
import time
from pathlib import Path

import dagster as dg
from dagster._core.instance import InstanceRef

from v2_assets.run_launcher import work


@dg.op(config_schema={"until": str})
def wait_for_file(context: dg.OpExecutionContext) -> None:
    context.log.info("it waits")
    while not Path(context.op_config["until"]).exists():
        time.sleep(0.02)


def work_into(log: Path, run_id: str, instance: InstanceRef) -> None:
    """A worker whose log is this file."""
    os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT), 2)
    work(run_id, instance)


@dg.job(executor_def=dg.in_process_executor)
def waiting_job() -> None:
    wait_for_file()
