"""Purged runs leave Dagster's knowledge of what is materialized as it was; read back through Dagster itself."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from resources.postgres import Database
from resources.settings import load_settings
from v2_assets.retention import forget
from v2_assets.retention.assets import retention, retention_job, retention_schedule

USERS = dg.StaticPartitionsDefinition(["1", "2"])


@dg.asset(partitions_def=USERS, check_specs=[dg.AssetCheckSpec("sound", asset="deals")])
def deals(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    context.log.info("a line")
    yield dg.MaterializeResult(metadata={"rows": 1}, data_version=dg.DataVersion(context.run.run_id))
    yield dg.AssetCheckResult(passed=True)


@dg.asset
def broken() -> None:
    raise ValueError("nothing comes of it")


@pytest.fixture
def instance(dagster: Database, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    url = dagster.url.replace("postgresql://", "postgresql+psycopg2://")
    storage = {"module": "v2_assets.dagster_storage", "class": "PooledPostgresStorage", "config": {"postgres_url": url}}
    overrides = {"storage": {"custom": storage}, "telemetry": {"enabled": False}}
    with dg.instance_for_test(temp_dir=str(tmp_path), overrides=overrides) as made:
        yield made


def test_old_runs_go_with_their_events_and_every_partition_stays_known(
    instance: dg.DagsterInstance, database: Database, dagster: Database, tmp_path: Path
) -> None:
    def run(key: str) -> str:
        return dg.materialize([deals], partition_key=key, instance=instance).run_id

    first, second, other = run("1"), run("1"), run("2")
    failed = dg.materialize([broken], instance=instance, raise_on_error=False).run_id
    with dagster.connect() as connection:  # all of that was long ago
        connection.execute("update runs set end_time = end_time - 40 * 86400")
        connection.execute("update event_logs set timestamp = timestamp - interval '40 days'")
        connection.execute("update asset_check_executions set create_timestamp = create_timestamp - interval '40 days'")
    young = run("2")
    settings = load_settings(home=tmp_path)
    for number in (first, young):
        (tmp_path / "dagster/storage" / number).mkdir(parents=True)

    due = forget(database, dagster, settings, apply=False)[-1]
    assert (due.name, due.rows) == ("runs", 4)
    assert instance.get_runs_count() == 5, "counting removes nothing"
    assert forget(database, dagster, settings, apply=True)[-1].rows == 4

    assert [r.run_id for r in instance.get_runs()] == [young]
    assert [p.name for p in (tmp_path / "dagster/storage").iterdir()] == [young]
    key = deals.key
    assert instance.get_materialized_partitions(key) == {"1", "2"}
    latest = instance.get_latest_materialization_event(key)
    assert latest and latest.run_id == young
    records = instance.fetch_materializations(key, limit=10).records
    assert [(r.partition_key, r.run_id) for r in records] == [("2", young), ("1", second)]
    assert not instance.all_logs(first) and not instance.all_logs(failed) and not instance.all_logs(other)
    checks = instance.event_log_storage.get_asset_check_execution_history(dg.AssetCheckKey(key, "sound"), limit=10)
    assert [check.run_id for check in checks] == [young]
    with dagster.connect() as connection:
        orphans = connection.execute(
            "select count(*) from asset_event_tags where event_id not in (select id from event_logs)"
        ).fetchone()
    assert orphans == (0,)
    # Dagster goes on from there.
    again = run("1")
    assert instance.get_latest_materialization_event(key).run_id == again  # type: ignore[union-attr]


def test_the_daily_run_applies_it_and_says_what_went(
    instance: dg.DagsterInstance, database: Database, dagster: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from v2_assets.platform_resource import PlatformResource

    monkeypatch.setenv("V2_HOME", str(tmp_path))
    monkeypatch.setenv("V2_DATABASE_URL", database.url)
    monkeypatch.setenv("V2_DAGSTER_PG_URL", dagster.url.replace("postgresql://", "postgresql+psycopg2://"))
    with database.connect() as connection:
        connection.execute(
            "insert into ops.error_log (\"where\", code, message, at) values ('x', 'y', 'z', now() - interval '1 year')"
        )
    resources = {"platform": PlatformResource()}
    result = dg.materialize([retention], resources=resources, instance=instance)
    metadata = result.asset_materializations_for_node("retention")[0].metadata
    assert metadata["errors"].value == 1 and metadata["runs"].value == 0
    assert retention_schedule.job_name == retention_job.name
    monkeypatch.delenv("V2_DAGSTER_PG_URL")
    failed = dg.materialize([retention], resources=resources, instance=instance, raise_on_error=False)
    assert not failed.success
