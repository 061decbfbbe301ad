"""The definitions as Dagster sees them: they load in an empty environment, and the graph is the order of work."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import dagster as dg
import pytest

from v2_assets.automation import SWEEP_CRONS
from v2_assets.compare.assets import compare_job
from v2_assets.definitions import build_defs, defs
from v2_assets.gate.assets import gate_job
from v2_assets.health.assets import health_report_job
from v2_assets.jobs import JOBS
from v2_assets.order import ALL_WORK, work_in_order
from v2_assets.retention.assets import retention_job
from v2_assets.schema import metadata
from v2_assets.schema.stage import STREAMS

ROOT = Path(__file__).parents[2]
GRAPH = defs.get_repository_def().asset_graph


def test_the_definitions_load_in_an_empty_environment_with_warnings_as_errors(tmp_path: Path) -> None:
    code = "import v2_assets.definitions as d; d.defs.get_repository_def()"
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_no_process_at_rest_holds_what_only_plots_and_files_need() -> None:
    code = (
        "import sys, v2_assets.definitions as d; d.defs.get_repository_def().load_all_definitions();"
        " assert not {'matplotlib', 'numpy', 'pandas', 'pyarrow'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


def test_dagster_finds_nothing_wrong_with_them() -> None:
    dg.Definitions.validate_loadable(build_defs())


@pytest.mark.parametrize("value", ["postgresql://x:y@elsewhere.example/v2", {"env": "V2_SECRET_KEY"}])
def test_the_launchpad_of_no_job_takes_a_database_or_names_a_variable(value: object) -> None:
    """Who reaches the UI may give a run's configuration; there is nothing in it that leads elsewhere."""
    for job in defs.get_repository_def().get_all_jobs():
        with pytest.raises(dg.DagsterInvalidConfigError):
            dg.validate_run_config(job, {"resources": {"platform": {"config": {"database_url": value}}}})
        for name, told in _leaves(job.run_config_schema.config_type):
            assert told != "SCALAR_UNION", f"{job.name}: {name} could be read from a variable of the environment"
            assert name.startswith(("execution.", "loggers.")) or told != "SCALAR", f"{job.name} can be told {name}"


def _leaves(config: object, path: str = "") -> list[tuple[str, str]]:
    """What a run's configuration may hold: (dotted path, kind of value)."""
    fields = getattr(config, "fields", None)
    if fields is None:
        return [(path, config.kind.name)]  # type: ignore[attr-defined]
    return [leaf for name, field in fields.items() for leaf in _leaves(field.config_type, f"{path}.{name}".lstrip("."))]


@pytest.mark.parametrize("stream", STREAMS, ids=lambda s: s.table)
def test_every_stream_is_read_from_its_source_and_becomes_its_v2_table(stream) -> None:  # type: ignore[no-untyped-def]
    stage = dg.AssetKey(stream.table)
    assert dg.AssetKey([stream.integration, stream.entity]) in GRAPH.get(stage).parent_keys
    assert dg.AssetKey(stream.primary) in GRAPH.get(stage).child_keys


#: What is written about the platform itself, and so by no user.
OPERATIONS = {dg.AssetKey(name) for name in ("health_report", "retention", "v1_comparison", "v1_gate")}


def test_every_asset_that_is_written_is_partitioned_by_user_and_says_what_it_is() -> None:
    for key in GRAPH.materializable_asset_keys - OPERATIONS:
        node = GRAPH.get(key)
        assert node.partitions_def is not None and node.partitions_def.name == "user", key
        assert node.description and node.owners and node.kinds and node.group_name, key
        assert "dagster/column_schema" in node.metadata, key


def test_every_job_schedule_and_sensor_says_what_it_is() -> None:
    repository = defs.get_repository_def()
    for each in (*repository.get_all_jobs(), *repository.schedule_defs, *repository.sensor_defs):
        assert each.description or each.name.startswith("__"), each.name


def test_every_table_with_a_select_is_an_asset_and_every_v2_asset_has_a_declaration() -> None:
    made = {each.table for each in ALL_WORK}
    assets = {key.to_user_string() for key in GRAPH.get_all_asset_keys() - OPERATIONS}
    assert made <= assets
    declared = {table.name for table in metadata.sorted_tables}
    assert {a for a in assets if "/" not in a} <= declared


def test_the_order_outside_dagster_is_the_order_of_the_graph() -> None:
    order = [work[0].table for work in work_in_order()]
    place = {table: n for n, table in enumerate(order)}
    for key in GRAPH.materializable_asset_keys:
        name = key.to_user_string()
        for parent in GRAPH.get(key).parent_keys:
            if name in place and parent.to_user_string() in place:
                assert place[parent.to_user_string()] < place[name], (parent, name)


#: Chains in which each table needs the one before it; the graph must have found them by itself.
CHAINS = (
    ("brokerage", "agent", "team", "team_members", "listing", "transaction", "participant", "transaction_financials"),
    ("address", "listing"),
    ("user", "transaction"),
    ("agent", "agent_hierarchy", "network_hierarchy"),
    ("agent", "network_member", "network_hierarchy"),
    ("transaction", "contribution", "income"),
    ("contribution", "agg_agent_monthly", "agg_leaderboard"),
    ("contribution", "revshare_totals"),
    ("title_agencies", "title_orders"),
    ("transaction", "title_orders", "title_events"),
    ("fub_accounts", "fub_users", "fub_people", "fub_deals"),
    ("fub_people", "fub_calls", "agg_fub_activity_by_agent"),
)


def test_the_graph_gives_the_order_of_building_and_here_it_is() -> None:
    order = [key.to_user_string() for key in GRAPH.toposorted_asset_keys if key in GRAPH.materializable_asset_keys]
    print("\n".join(f"{place:3d} {name}" for place, name in enumerate(order, 1)))
    for chain in CHAINS:
        for before, after in pairwise(chain):
            above = {key.to_user_string() for key in GRAPH.get_ancestor_asset_keys(dg.AssetKey(after))}
            together = dg.AssetKey(before) in GRAPH.get(dg.AssetKey(after)).execution_set_asset_keys
            assert before in above or together, f"{after} can be built before {before}"


def test_every_integration_has_a_sweep_that_is_on_by_default_and_every_sensor_is_on() -> None:
    repository = defs.get_repository_def()
    sweeps = {f"{integration}_{kind}" for integration in SWEEP_CRONS for kind in ("sweep", "full_sweep")}
    assert {s.name for s in repository.schedule_defs} == {
        "standing_checks",
        "aggregates_daily",
        "health_report",
        "v1_comparison",
        "retention",
        *sweeps,
    }
    assert all(s.default_status == dg.DefaultScheduleStatus.RUNNING for s in repository.schedule_defs)
    expected = {
        "onboarding",
        "onboarding_progress",
        "partitions",
        "backlog",
        "measuring",
        "inbox",
        "webhook_audit",
        "alerts",
        "v1_gate",
        "monitor_watch",
    }
    assert {s.name for s in repository.sensor_defs} == expected
    assert all(s.default_status == dg.DefaultSensorStatus.RUNNING for s in repository.sensor_defs)
    jobs = [*JOBS, health_report_job, retention_job, compare_job, gate_job]
    started = {key for job in jobs for key in defs.resolve_job_def(job.name).asset_layer.executable_asset_keys}
    assert started == set(GRAPH.materializable_asset_keys), "an asset that nothing starts"
