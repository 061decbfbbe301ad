"""What the server process that runs are forked from imports once (see run_launcher): the definitions, resolved."""

from dagster import DagsterInstance  # noqa: F401 - imported for the forks

from v2_assets.definitions import defs

defs.get_repository_def().load_all_definitions()
