"""A job for the launcher's tests: it waits for a file, so that a test decides when it ends."""

import time
from pathlib import Path

import dagster as dg


@dg.op(config_schema={"until": str})
def wait_for_file(context: dg.OpExecutionContext) -> None:
    while not Path(context.op_config["until"]).exists():
        time.sleep(0.02)


@dg.job(executor_def=dg.in_process_executor)
def waiting_job() -> None:
    wait_for_file()
