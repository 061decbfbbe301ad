"""`python -m v2_assets.webserver`: Dagster's UI on loopback behind the guard, until SIGTERM. A proxy stands in front.

The instance is DAGSTER_HOME's, the code locations those of the workspace.yaml in it.
"""

from __future__ import annotations

from pathlib import Path

import dagster as dg
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster_webserver.app import create_app_from_workspace_process_context
from dagster_webserver.version import __version__

from resources.serving import loopback, run
from resources.settings import load_settings
from v2_assets.launching import is_task
from v2_assets.webserver.guard import Guard, hosts_of

#: Milliseconds that a question to Dagster's database may take, seconds that a connection is kept, connections beyond
#: the pool: the defaults of `dagster-webserver`.
_STATEMENT_MS, _RECYCLE_S, _OVERFLOW = 15_000, 3600, 20
_POLL_MS = 2_000


def main() -> None:
    """Serves by the settings in force."""
    settings = load_settings()
    with dg.DagsterInstance.get() as instance:
        instance.optimize_for_webserver(_STATEMENT_MS, _RECYCLE_S, _OVERFLOW)
        workspace = WorkspaceFileTarget([str(Path(instance.root_directory) / "workspace.yaml")])
        with WorkspaceProcessContext(instance, workspace, version=__version__) as context:
            guard = Guard(
                create_app_from_workspace_process_context(context, "", _POLL_MS),
                hosts_of([settings.public_url]),
                is_task,
                key=settings.ui_key.get_secret_value() if settings.ui_key else None,
                tasks_key=settings.api_tasks_key.get_secret_value() if settings.api_tasks_key else None,
            )
            loopback(guard, settings.ui_port).run()


if __name__ == "__main__":
    run(main)
