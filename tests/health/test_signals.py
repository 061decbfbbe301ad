"""Every signal is made to happen on a real database, below, above and far above its thresholds, and is over again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from resources.postgres import Database
from resources.settings import load_settings
from v2_assets.automation import SWEEP_CRONS
from v2_assets.health.behind import SWEPT, behind
from v2_assets.health.signals import SIGNALS, look
from v2_assets.incidents import Finding, settle

Connection = psycopg.Connection[Any]
#: The defaults are in behaviour's table; here the counts are small, so that rows are few.
SETTINGS = load_settings(
    health_backlog_warning=1, health_backlog_critical=3, health_backup_hours_warning=26, health_backup_hours_critical=72
)


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with database.connect(autocommit=True) as made:
        made.execute("insert into v2.user (id, email) values (901, 'ines@example.test'), (902, 'bo@example.test')")
        made.execute(
            "insert into v2.credentials (user_id, platform, account_id, state, verified, verified_at)"
            " values (901, 'fub', '77', 'ok', true, now()), (902, 'fub', '77', 'ok', true, now())"
        )
        yield made


def staged(connection: Connection, number: int, status: str = "pending", minutes_ago: int = 16) -> None:
    reason = "unknown_code" if status == "rejected" else None
    connection.execute(
        "insert into staging.stage_fub_people (user_id, account_ref, source_id, payload, payload_hash, fetched_at,"
        " run_id, status, status_reason, v2_id, processed_at) select 901, 'fub/77/901',"
        " ((select count(*) from staging.stage_fub_people) + n)::text, '{}', '\\x00',"
        " now() - %(minutes)s * interval '1 minute', 'r', %(status)s,"
        " %(reason)s, case %(status)s when 'processed' then 1 end, case %(status)s when 'processed' then now() end"
        " from generate_series(1, %(number)s) n",
        {"status": status, "reason": reason, "number": number, "minutes": minutes_ago},
    )


def stream(connection: Connection, user: int, hours: float, status: str = "idle", entity: str = "people") -> None:
    error = '{"code": "source_unavailable", "message": "away"}' if status == "failed" else None
    connection.execute(
        "insert into ops.sync_state (integration, entity, account_ref, user_id, last_started_at, last_sync_at, status,"
        " error) values ('fub', %s, %s, %s, now() - %s * interval '1 hour', now() - %s * interval '1 hour', %s, %s)",
        [entity, f"fub/77/{user}", user, hours, hours, status, error],
    )


def job(connection: Connection, hours: float) -> None:
    connection.execute(
        "insert into ops.onboarding_job (user_id, integration, credentials_id, status, created_at, started_at)"
        " select 901, 'fub', id, 'Started', now() - %s * interval '1 hour', now() - %s * interval '1 hour'"
        " from v2.credentials where user_id = 901",
        [hours, hours],
    )


def sweep(connection: Connection, in_v2: int, of: int) -> None:
    connection.execute(
        "insert into ops.sweep (account_ref, integration, entity, completed_at, seen, expected)"
        " values ('fub/77/901', 'fub', 'people', now(), %s, %s)",
        [in_v2, of],
    )
    staged(connection, in_v2, "processed")


def unproven(connection: Connection, *outcomes: str, hours_ago: float = 0, status: str = "idle") -> None:
    """Full passes of a stream that ended like this, the last one so long ago."""
    stream(connection, 901, 0.1)
    for outcome in outcomes:
        connection.execute(
            "insert into ops.sweep (account_ref, integration, entity, completed_at, applied_at, outcome, error)"
            " values ('fub/77/901', 'fub', 'people', now() - %(ago)s * interval '1 hour',"
            "  case when %(outcome)s = 'applied' then now() end, %(outcome)s,"
            "  case when %(outcome)s <> 'applied'"
            "  then jsonb_build_object('code', 'sweep_' || %(outcome)s, 'message', 'It met less.') end)",
            {"ago": hours_ago, "outcome": outcome},
        )
    connection.execute(
        "update ops.sync_state set status = %s, error = (select error from ops.sweep order by id desc limit 1)",
        [status],
    )


def unswept(connection: Connection, minutes_ago: int) -> None:
    """A stream without sweeps whose pass was incomplete."""
    stream(connection, 901, minutes_ago / 60)
    connection.execute('update ops.sync_state set error = \'{"code": "sweep_incomplete", "message": "Less."}\'')


def pull(connection: Connection, failed: int, of: int, hours: int = 1) -> None:
    connection.execute(
        "insert into ops.pull (at, integration, entity, run_id, passes, failed, fetched, rejected, failed_users)"
        " values (now() - %s * interval '1 hour', 'fub', 'people', 'r', %s, %s, 9, 0, %s)",
        [hours, of, failed, "[901, 902]" if failed else "[]"],
    )


def refused(connection: Connection, *, verified: bool) -> None:
    connection.execute(
        "update v2.credentials set state = 'needs_reconnect', verified = false,"
        " verified_at = case when %s then now() end where user_id = 901",
        [verified],
    )


def doubted(connection: Connection, *accounts: str) -> None:
    """Keys whose source's probe refuses them, beside those that are there."""
    for account in accounts:
        connection.execute(
            "with made as (insert into v2.credentials (user_id, platform, account_id, state) values (901, 'title', %s,"
            " 'ok') on conflict do nothing returning id)"
            " insert into ops.credential_probe (credentials_id, refusals) select id, 1 from made",
            [account],
        )


def ended_early(connection: Connection) -> None:
    job(connection, 1)
    connection.execute(
        "update ops.onboarding_job set status = 'Error', ended_at = now(), error = '{\"code\": \"timeout\"}'"
    )
    connection.execute(
        "insert into ops.sync_state (integration, entity, account_ref, user_id) values ('fub','deals','fub/77/901',901)"
    )


def strange_word(connection: Connection) -> None:
    staged(connection, 1, "processed")
    connection.execute(
        "update staging.stage_fub_people set warnings ="
        ' \'[{"code": "unknown_word", "field": "role", "found": "ISA", "code_set": "user_role"}]\''
    )


def undelivered(connection: Connection) -> None:
    connection.execute(
        "insert into ops.alert (code, severity, subject, created_at, attempts)"
        " values ('run_failed', 'warning', 's', now() - interval '1 hour', 3)"
    )


def backed_up(connection: Connection, hours: float) -> None:
    connection.execute(
        "insert into ops.backup (made_at, folder, bytes) values (now() - %s * interval '1 hour', 'b', 9),"
        " (now() - interval '200 hours', 'a', 9)",
        [hours],
    )


def rejected(connection: Connection, number: int, of: int) -> None:
    staged(connection, number, "rejected")
    staged(connection, of - number, "processed")


def watch(connection: Connection) -> dict[str, dict[str, Finding]]:
    """As the sensor does it."""
    found = look(connection, SETTINGS)
    for code, causes in found.items():
        settle(connection, code, causes)
    return found


CASES: list[tuple[str, str | None, Callable[[Connection], None]]] = [
    ("backlog_large", None, lambda c: staged(c, 1)),
    ("backlog_large", None, lambda c: staged(c, 9, minutes_ago=14)),
    ("backlog_large", "warning", lambda c: staged(c, 2)),
    ("backlog_large", "critical", lambda c: staged(c, 4)),
    ("rejected_share", None, lambda c: staged(c, 3, "processed")),
    ("rejected_share", "warning", lambda c: rejected(c, 1, 30)),
    ("rejected_share", "critical", lambda c: rejected(c, 1, 10)),
    ("stream_old", None, lambda c: stream(c, 901, 23)),
    ("stream_old", "warning", lambda c: stream(c, 901, 25)),
    ("stream_old", "critical", lambda c: (stream(c, 901, 1), stream(c, 902, 73))[0]),
    ("stream_failed", None, lambda c: stream(c, 901, 1)),
    ("stream_failed", "warning", lambda c: stream(c, 901, 1, "failed")),
    ("sync_failures", None, lambda c: (pull(c, 1, 20), pull(c, 20, 20, hours=25))[0]),
    ("sync_failures", "warning", lambda c: (pull(c, 4, 20), pull(c, 0, 19))[0]),
    ("sync_failures", "critical", lambda c: pull(c, 7, 20)),
    ("source_refuses_keys", None, lambda c: doubted(c, "fub", "fub")),
    ("source_refuses_keys", "critical", lambda c: doubted(c, "fub", "fub", "fub2")),
    ("credential_refused", None, lambda c: None),
    ("credential_refused", "warning", lambda c: refused(c, verified=True)),
    ("credential_not_verified", "warning", lambda c: refused(c, verified=False)),
    ("onboarding_stuck", None, lambda c: job(c, 3)),
    ("onboarding_stuck", "warning", lambda c: job(c, 5)),
    ("onboarding_stuck", "critical", lambda c: job(c, 25)),
    ("onboarding_failed", "warning", ended_early),
    ("row_gap", None, lambda c: sweep(c, 100, 101)),
    ("row_gap", "warning", lambda c: sweep(c, 49, 50)),
    ("row_gap", "critical", lambda c: sweep(c, 20, 30)),
    ("sweep_unproven", None, lambda c: unproven(c, "applied", "incomplete")),
    ("sweep_unproven", None, lambda c: unproven(c, "incomplete", "shrunk", "applied")),
    ("sweep_unproven", None, lambda c: unswept(c, 3)),
    ("sweep_unproven", "warning", lambda c: unproven(c, "applied", "shrunk")),
    ("sweep_unproven", "warning", lambda c: unproven(c, "applied", "shrunk", status="failed")),
    ("sweep_unproven", "warning", lambda c: unproven(c, "incomplete", "incomplete")),
    ("sweep_unproven", "warning", lambda c: unproven(c, "applied", "incomplete", hours_ago=3)),
    ("sweep_unproven", "warning", lambda c: unswept(c, 200)),
    ("stream_failed", None, lambda c: unproven(c, "shrunk", status="failed")),
    ("unknown_word", None, lambda c: staged(c, 1, "processed")),
    ("unknown_word", "info", strange_word),
    ("alert_undelivered", "warning", undelivered),
    ("backup_old", None, lambda c: backed_up(c, 25)),
    ("backup_old", "warning", lambda c: backed_up(c, 27)),
    ("backup_old", "critical", lambda c: c.execute("update v2.user set created_at = now() - interval '73 hours'")),
]


@pytest.mark.parametrize(("code", "severity", "happens"), CASES, ids=[f"{c} {s or 'fine'}" for c, s, _ in CASES])
def test_a_signal_says_how_bad_it_is_and_what_helps(
    connection: Connection, code: str, severity: str | None, happens: Callable[[Connection], None]
) -> None:
    assert look(connection, SETTINGS)[code] == {}, "a quiet platform is healthy"
    happens(connection)
    found = look(connection, SETTINGS)[code]
    assert [finding.severity for finding in found.values()] == ([severity] if severity else [])
    for finding in found.values():
        assert finding.subject and finding.body["what"] and finding.body["do"].startswith("v2 ")
        assert "@" not in f"{finding.subject} {dict(finding.body)}"


def test_who_expects_no_backups_is_not_told_of_their_age(connection: Connection) -> None:
    backed_up(connection, 500)
    assert look(connection, load_settings())["backup_old"] == {}


def test_every_signal_is_made_to_happen_at_each_of_its_levels() -> None:
    for signal in SIGNALS:
        levels = {severity for code, severity, _ in CASES if code == signal.code}
        assert {"warning", "critical"} <= levels if signal.thresholds else signal.severity in levels, signal.code


def test_one_users_success_does_not_hide_anothers_silence_and_a_cause_is_one_incident(connection: Connection) -> None:
    stream(connection, 901, 0.1)
    stream(connection, 902, 80, "failed")
    found = watch(connection)
    assert found["stream_old"]["fub/source_unavailable"].body["users"] == [902]
    (late,) = behind(connection, SETTINGS)
    assert (late.user_id, late.integration, late.entity, late.why) == (902, "fub", "people", "source_unavailable")
    assert (late.severity, late.do) == ("critical", "v2 sync --user 902 --integration fub")
    incidents = "select code, key, severity from ops.incident where recovered_at is null order by code"
    assert connection.execute(incidents).fetchall() == [
        ("stream_failed", "fub/source_unavailable", "warning"),
        ("stream_old", "fub/source_unavailable", "critical"),
    ]
    watch(connection)
    connection.execute("update ops.sync_state set last_sync_at = now(), status = 'idle', error = null")
    watch(connection)
    assert connection.execute(incidents).fetchall() == []
    told = connection.execute("select kind from ops.alert order by id").fetchall()
    assert [kind for (kind,) in told] == ["opened", "opened", "recovered", "recovered"]


def test_a_stream_that_was_never_read_is_as_old_as_its_key(connection: Connection) -> None:
    connection.execute("update v2.credentials set verified_at = now() - interval '80 hours' where user_id = 902")
    told = behind(connection, SETTINGS)
    assert {(each.user_id, each.why, each.severity) for each in told} == {(902, "never read", "critical")}
    assert set(SWEPT) == set(SWEEP_CRONS)


def test_a_record_that_one_sweep_did_not_meet_is_told_when_the_next_one_does_not_meet_it_either(
    connection: Connection,
) -> None:
    sweep(connection, 0, 50)
    connection.execute("update ops.sweep set seen = 50, started_at = now() - interval '1 hour'")
    sweep(connection, 40, 50)
    assert not look(connection, SETTINGS)["row_gap"], "it may have been made between the count and the list"
    connection.execute("update ops.sweep set seen = 40")
    assert look(connection, SETTINGS)["row_gap"]
