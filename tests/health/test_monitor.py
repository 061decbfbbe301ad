"""The monitor sees what nobody inside Dagster can see: silent daemons and sensors, and a database that is away."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from resources.postgres import Database
from resources.settings import load_settings
from tests.alerts.sinks import http_sink
from v2_assets.monitor.__main__ import Monitor


async def health(monitor: Monitor) -> httpx.Response:
    transport = httpx.ASGITransport(monitor.app())
    async with httpx.AsyncClient(transport=transport, base_url="http://monitor") as client:
        return await client.get("/health")


def beat(database: Database, seconds_ago: int) -> None:
    with database.connect() as connection:
        connection.execute("create table if not exists daemon_heartbeats (daemon_type text, timestamp timestamp)")
        connection.execute("delete from daemon_heartbeats")
        connection.execute(
            "insert into daemon_heartbeats select name, now() at time zone 'UTC' - %s * interval '1 second'"
            " from unnest(array['SENSOR', 'SCHEDULER', 'QUEUED_RUN_COORDINATOR', 'MONITORING']) name",
            [seconds_ago],
        )
        connection.execute(
            "create table if not exists job_ticks"
            " (id bigint generated always as identity, type text, status text, timestamp timestamp)"
        )
    tick(database, 5)


def tick(database: Database, seconds_ago: int) -> None:
    """The last sensor that ticked well did so before these seconds, and all have failed since."""
    with database.connect() as connection:
        connection.execute("delete from job_ticks")
        connection.execute(
            "insert into job_ticks (type, status, timestamp) values ('SENSOR', 'SKIPPED', now() at time zone 'UTC'"
            " - %s * interval '1 second'), ('SENSOR', 'FAILURE', now() at time zone 'UTC'),"
            " ('SCHEDULE', 'SUCCESS', now() at time zone 'UTC')",
            [seconds_ago],
        )


async def test_a_silent_daemon_is_told_once_although_nobody_else_could_tell_it_and_its_return_too(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with http_sink() as sink:
        settings = load_settings(alert_http_url=sink.url, start_command="systemctl restart v2.target")
        monitor = Monitor(settings, database, database)
        assert (await health(monitor)).status_code == 503, "nothing was seen yet"
        beat(database, 5)
        monitor.look()
        assert (await health(monitor)).status_code == 200
        beat(database, 600)
        monitor.look()
        assert not sink.received, "a monitor that has just begun may be quicker than the daemon that begins with it"
        monkeypatch.setattr("v2_assets.monitor.__main__.SETTLED_AFTER_S", 0.0)
        monitor.look()
        monitor.look()
        answer = await health(monitor)
        assert (answer.status_code, answer.json()["why"]) == (
            503,
            "silent: MONITORING, QUEUED_RUN_COORDINATOR, SCHEDULER, SENSOR",
        )
        assert [(m["code"], m["kind"], m["severity"]) for m in sink.received] == [("daemon_dead", "opened", "critical")]
        assert "systemctl restart v2.target" in str(sink.received), "what helps is what starts this installation"
        beat(database, 1)
        monitor.look()
    with database.connect() as connection:
        kinds = connection.execute("select kind from ops.alert order by id").fetchall()
    assert kinds == [("opened",), ("recovered",)]


async def test_a_daemon_that_never_gave_a_sign_of_life_is_silent_too(database: Database) -> None:
    beat(database, 1)
    with database.connect() as connection:
        connection.execute("delete from daemon_heartbeats where daemon_type = 'SCHEDULER'")
    monitor = Monitor(load_settings(alert_dry_run=True), database, database)
    monitor.look()
    assert (await health(monitor)).json() == {"ok": False, "why": "silent: SCHEDULER"}


async def test_sensors_that_tick_no_more_beside_a_living_daemon_are_told_once_and_their_return_too(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    beat(database, 1)
    tick(database, 600)
    with http_sink() as sink:
        monitor = Monitor(load_settings(alert_http_url=sink.url), database, database)
        monitor.look()
        assert (await health(monitor)).status_code == 200, "what has just been started has had no time to tick"
        monkeypatch.setattr("v2_assets.monitor.__main__.SETTLED_AFTER_S", 0.0)
        with database.connect() as connection:
            connection.execute(
                "insert into ops.incident (code, key, severity, subject, told)"
                " values ('process_died', 'process/code-server', 'warning', 'code-server ended by itself', 'warning')"
            )
        monitor.look()
        assert not sink.received, "that the code server is dead is told already"
        with database.connect() as connection:
            connection.execute("update ops.incident set recovered_at = now()")
        monitor.look()
        monitor.look()
        assert (await health(monitor)).json() == {"ok": False, "why": "silent: sensors"}
        assert [(m["code"], m["kind"], m["severity"]) for m in sink.received] == [
            ("ticks_stopped", "opened", "critical")
        ]
        tick(database, 5)
        monitor.look()
    with database.connect() as connection:
        kinds = connection.execute("select kind from ops.alert order by id").fetchall()
    assert kinds == [("opened",), ("recovered",)]


async def test_a_look_that_fails_in_an_unforeseen_way_is_said_and_is_not_the_last(database: Database) -> None:
    with database.connect() as connection:
        connection.execute("create view daemon_heartbeats as select 1 as nothing")
    monitor = Monitor(load_settings(alert_dry_run=True), database, database)
    monitor.look()
    answer = await health(monitor)
    assert answer.status_code == 503 and answer.json()["why"]


async def test_a_database_that_is_away_is_said_and_survived(database: Database, tmp_path: Path) -> None:
    away = Database("postgresql://v2:secret@127.0.0.1:1/v2", connect_deadline_s=0.1)
    monitor = Monitor(load_settings(home=tmp_path), away, database)
    beat(database, 1)
    monitor.look()
    answer = await health(monitor)
    assert answer.status_code == 503 and answer.json()["why"] and "secret" not in answer.text
    monitor.database = database
    monitor.look()
    assert (await health(monitor)).status_code == 200


async def test_a_database_that_stays_away_is_told_without_it_once_and_its_return_too(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = Database("postgresql://v2:secret@127.0.0.1:1/v2", connect_deadline_s=0.1)
    beat(database, 1)
    with http_sink() as sink:
        monitor = Monitor(load_settings(home=tmp_path, alert_http_url=sink.url), away, database)
        monitor.look()
        assert not sink.received, "a server that restarts is back before anybody is told"
        monkeypatch.setattr("v2_assets.monitor.__main__.AWAY_AFTER_S", 0.0)
        monitor.look()
        monitor.look()
        monitor.database = database
        monitor.look()
        monitor.look()
        told = [(m["code"], m["kind"], m["severity"]) for m in sink.received]
    assert told == [("database_away", "opened", "critical"), ("database_away", "recovered", "critical")]
