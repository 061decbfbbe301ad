"""Each threshold, made to happen: seen in `v2 health`, in the UI's check, and by people through real mail and HTTP.

One database goes through it all: nothing is wrong, everything is a warning, everything is critical, all is over.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import GrpcServerCodeLocationOrigin, RemoteInstigatorOrigin, RemoteRepositoryOrigin
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus, ScheduleInstigatorData

from resources.postgres import Database
from sensors.alerts import WATCHED, alerts_sensor
from tests.alerts.sinks import Sink, http_sink, smtp_sink
from tests.checks.test_rules import orphan
from tests.cli.test_bad_input import v2
from tests.dagster.instances import instance_with_switches
from v2_assets.checks.assets import CHECKS, standing_checks
from v2_assets.checks.rules import rules
from v2_assets.checks.watched import SPECS
from v2_assets.definitions import build_defs
from v2_assets.platform_resource import PlatformResource
from v2_assets.schema import metadata

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}

#: All that is watched, and the rules of the tables that are broken here.
STEPS = ["watched", "checks_crm", "checks_title"]
BEGINNING = """
insert into v2."user" (id, email) values (901, 'ines@example.test'), (902, 'bo@example.test');
insert into v2.credentials (user_id, platform, account_id, state, verified, verified_at)
  values (901, 'fub', '77', 'ok', true, now()), (902, 'fub', '77', 'ok', true, now());
"""
#: Every line of behaviour's table that has a warning, just over it; {…} takes the number that decides.
TROUBLE = """
insert into staging.stage_fub_people
  (user_id, account_ref, source_id, payload, payload_hash, fetched_at, run_id, status)
  select 901, 'fub/77/901', n::text, '{{}}', '\\x00', now() - interval '16 minutes', 'r', 'pending'
  from generate_series(1, {waiting}) n;
insert into staging.stage_fub_deals (user_id, account_ref, source_id, payload, payload_hash, fetched_at, run_id, status,
    status_reason, v2_id, processed_at)
  select 901, 'fub/77/901', n::text, '{{}}', '\\x00', now(), 'r', case when n <= {rejected} then 'rejected'
    else 'filtered' end, 'a_rule', null, now() from generate_series(1, 200) n;
insert into ops.sync_state (integration, entity, account_ref, user_id, last_sync_at)
  values ('fub', 'events', 'fub/77/901', 901, now()),
    ('fub', 'events', 'fub/77/902', 902, now() - {hours} * interval '1 hour');
insert into ops.onboarding_job (user_id, integration, credentials_id, status, created_at, started_at)
  select 901, 'fub', id, 'Started', now(), now() - {onboarding} * interval '1 hour'
  from v2.credentials where user_id = 901;
insert into ops.pull (integration, entity, run_id, passes, failed, fetched, rejected, failed_users)
  values ('fub', 'people', 'r', 40, {failed}, 9, 0, '[901]');
insert into ops.sweep (account_ref, integration, entity, completed_at, expected)
  values ('fub/77/901', 'fub', 'calls', now(), 100);
insert into staging.stage_fub_calls (user_id, account_ref, source_id, payload, payload_hash, fetched_at, run_id, status,
    status_reason, processed_at)
  select 901, 'fub/77/901', n::text, '{{}}', '\\x00', now(), 'r', 'filtered', 'a_rule', now()
  from generate_series(1, {in_v2}) n;
"""
OVER = """
truncate staging.stage_fub_people, staging.stage_fub_deals, staging.stage_fub_calls, ops.sync_state, ops.onboarding_job,
  ops.pull, ops.sweep, ops.sweep_key, ops.merge_run cascade;
"""
WARNING = {"waiting": 1001, "rejected": 2, "hours": 25, "onboarding": 5, "failed": 5, "in_v2": 98}
CRITICAL = {"waiting": 5001, "rejected": 11, "hours": 73, "onboarding": 25, "failed": 13, "in_v2": 94}
#: The check that shows each.
SHOWN = {
    "backlog_large": "stage_fub_people",
    "rejected_share": "stage_fub_deals",
    "stream_old": "stage_fub_events",
    "onboarding_stuck": "health_report",
    "sync_failures": "health_report",
    "row_gap": "stage_fub_calls",
}


class Platform:
    """A database, an instance of Dagster, two sinks, and the definitions."""

    def __init__(self, database: Database, home: Path, instance: dg.DagsterInstance, mail: Sink, http: Sink) -> None:
        self.database, self.home, self.instance, self.mail, self.http = database, home, instance, mail, http
        self.definitions = build_defs()
        self.environment = {
            "V2_HOME": str(home),
            "V2_DATABASE_URL": database.url,
            "V2_DAGSTER_DATABASE_URL": database.url,
            "V2_ALERT_SMTP_URL": mail.url,
            "V2_ALERT_MAIL_TO": "ops@example.test",
            "V2_ALERT_HTTP_URL": http.url,
            "V2_ALERT_ROUTES": "critical=mail;warning=http;info=http",
        }

    def run(self, script: str, **numbers: Any) -> None:
        with self.database.connect() as connection:
            connection.execute(script.format(**numbers).encode() if numbers else script.encode())

    def checked(self) -> dict[tuple[str, str], str]:
        """Runs the standing checks of STEPS as Dagster does. The failed ones as (check, asset) and their severity."""
        job = self.definitions.resolve_job_def(standing_checks.name)
        result = job.execute_in_process(instance=self.instance, run_config=QUIET, op_selection=STEPS)
        assert result.success
        evaluations = result.get_asset_check_evaluations()
        self.evaluations = {(e.check_name, e.asset_key.to_user_string()): e for e in evaluations}
        assert len(evaluations) > len(SPECS)
        return {key: each.severity.value for key, each in self.evaluations.items() if not each.passed}

    def tick(self) -> list[tuple[str, str, str]]:
        """One tick of the sensor. What people were sent, as (code, kind, severity)."""
        self.http.received.clear()
        self.mail.received.clear()
        repository = self.definitions.get_repository_def()
        with dg.build_sensor_context(
            instance=self.instance, repository_def=repository, resources={"platform": PlatformResource()}
        ) as context:
            list(alerts_sensor(context) or ())
        for letter in self.mail.received:
            text = letter.get_content()
            told = {line.partition(": ")[0] for line in text.splitlines()}
            parts = {"what", "since", "users", "do", "see", "runbook", "code"}
            assert parts <= told or "Recovered" in letter["Subject"]
        for message in self.http.received:
            assert message["what"] and message["since"] and message["link"] and message["runbook"] and message["do"]
        with self.database.connect() as connection:
            rows = connection.execute(
                "select code, kind, severity, channel from ops.alert where delivered_at > now() - interval '20 seconds'"
                " order by id"
            ).fetchall()
            connection.execute("update ops.alert set delivered_at = now() - interval '1 minute'")
        by_mail = [row for row in rows if row[3] == "mail"]
        assert len(by_mail) == len(self.mail.received) and len(rows) - len(by_mail) == len(self.http.received)
        return [row[:3] for row in rows]

    def switch(self, schedule: str, status: InstigatorStatus) -> None:
        """What the switch in the UI does."""
        location = GrpcServerCodeLocationOrigin(host="127.0.0.1", port=1, location_name="v2")
        origin = RemoteInstigatorOrigin(RemoteRepositoryOrigin(location, "__repository__"), schedule)
        state = InstigatorState(origin, InstigatorType.SCHEDULE, status, ScheduleInstigatorData("10 6 * * *"))
        if status == InstigatorStatus.STOPPED:
            self.instance.add_instigator_state(state)
        else:
            self.instance.update_instigator_state(state)

    def health(self) -> dict[str, str]:
        """`v2 health --json` as another process says it: severity by code."""
        code, document, _ = v2("health", cwd=self.home, **self.environment)
        told = {each["code"]: each["severity"] for each in document["data"]["troubles"]}
        assert code == (1 if "critical" in told.values() else 0)
        return told


@pytest.fixture
def platform(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    with smtp_sink() as mail, http_sink() as http, instance_with_switches(tmp_path) as instance:
        made = Platform(database, tmp_path, instance, mail, http)
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        made.run(BEGINNING)
        yield made


def test_each_threshold_is_seen_in_health_in_the_check_and_by_people_and_is_over(platform: Platform) -> None:
    assert (platform.checked(), platform.tick(), platform.health()) == ({}, [], {})

    platform.run(TROUBLE, **WARNING)
    assert platform.checked() == dict.fromkeys(SHOWN.items(), "WARN")
    assert sorted(platform.tick()) == sorted((code, "opened", "warning") for code in SHOWN)
    assert platform.tick() == [], "seen again, told once"
    assert platform.health() == dict.fromkeys(SHOWN, "warning")

    platform.run(OVER)
    platform.run(TROUBLE, **CRITICAL)
    with platform.database.connect() as connection:
        orphan(connection, metadata.tables["v2.title_events"])
        connection.execute(
            "insert into ops.merge_run (table_name, counts) values ('fub_people', '{\"read\": 3, \"processed\": 2}')"
        )
    # A schedule that somebody switched off, and the asset that nothing else starts.
    platform.switch("health_report", InstigatorStatus.STOPPED)
    always = {
        ("parents_exist", "title_events"): "ERROR",
        ("ledger_adds_up", "fub_people"): "ERROR",
        ("asset_without_trigger", "health_report"): "ERROR",
        ("trigger_off", "health_report"): "WARN",
    }
    failed = platform.checked()
    assert failed == dict.fromkeys(SHOWN.items(), "ERROR") | always
    behind = platform.evaluations["stream_old", "stage_fub_events"].metadata["behind"].records
    assert [(row.data["user"], row.data["do"]) for row in behind] == [(902, "v2 sync --user 902 --integration fub")]
    assert sorted(platform.tick()) == sorted(
        [(code, "worse", "critical") for code in SHOWN]
        + [("check_failed", "opened", "critical")] * 2
        + [("asset_without_trigger", "opened", "critical"), ("trigger_off", "opened", "warning")]
    )
    assert platform.health() == dict.fromkeys([*SHOWN, "check_failed", "asset_without_trigger"], "critical") | {
        "trigger_off": "warning"
    }

    platform.run(OVER + "truncate v2.title_events cascade;")
    platform.switch("health_report", InstigatorStatus.RUNNING)
    assert platform.checked() == {}
    assert {(code, kind) for code, kind, _ in platform.tick()} == {
        (code, "recovered") for code in [*SHOWN, "check_failed", "asset_without_trigger", "trigger_off"]
    }
    assert platform.health() == {}


def test_no_code_that_is_watched_and_no_rule_is_without_a_check() -> None:
    keys = {key for check in CHECKS for key in check.check_keys}
    assert {(rule.name, rule.table) for rule in rules()} <= {(key.name, key.asset_key.to_user_string()) for key in keys}
    assert set(WATCHED) <= {key.name for key in keys}
