"""From a cause to a person: incidents begin and end once, and their messages arrive by real HTTP and real mail."""

from __future__ import annotations

import hashlib
import hmac
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.errors import ConfigError
from resources.postgres import Database
from resources.settings import Settings, load_settings
from tests.alerts.sinks import Sink, http_sink, smtp_sink
from v2_assets.alerting.codes import CODES, runbook
from v2_assets.alerting.deliver import deliver, is_quiet
from v2_assets.incidents import Finding, UnknownCode, recover_now, remind, report_now, settle

ROOT = Path(__file__).parents[2]
BODY = {"what": "It is slow.", "since": "2031-03-01T12:00:00+00:00", "users": list(range(1, 9)), "do": "v2 status"}


@pytest.fixture
def connection(database: Database) -> Iterator[psycopg.Connection[Any]]:
    with database.connect(autocommit=True) as made:
        yield made


@pytest.fixture
def http() -> Iterator[Sink]:
    with http_sink() as sink:
        yield sink


@pytest.fixture
def mail() -> Iterator[Sink]:
    with smtp_sink() as sink:
        yield sink


def report(connection: psycopg.Connection[Any], severity: Any = "warning", key: str = "fub/people") -> None:
    report_now(connection, code="stream_failed", key=key, severity=severity, subject=f"{key} stands", body=BODY)


def kinds(connection: psycopg.Connection[Any]) -> list[str]:
    return [row[0] for row in connection.execute("select kind from ops.alert order by id").fetchall()]


def told(database: Database, **more: Any) -> None:
    deliver(database, with_channels(**more))


def with_channels(**more: Any) -> Settings:
    return load_settings(public_url="https://v2.example.test", **more)


def test_a_cause_is_told_when_it_begins_worsens_and_ends_and_not_in_between(connection: psycopg.Connection) -> None:
    for severity in ("info", "info", "warning", "info", "warning", "critical", "critical"):
        report(connection, severity)
    recover_now(connection, code="stream_failed", key="fub/people")
    recover_now(connection, code="stream_failed", key="fub/people")
    assert kinds(connection) == ["opened", "worse", "worse", "recovered"]
    report(connection)
    assert kinds(connection)[-1] == "opened", "the same cause later is another incident"
    assert connection.execute("select times, recovered_at is null from ops.incident order by id").fetchall() == [
        (7, False),
        (1, True),
    ]


def test_what_is_settled_is_all_that_is_wrong(connection: psycopg.Connection) -> None:
    def found(*keys: str) -> dict[str, Finding]:
        return {key: Finding("warning", key, BODY) for key in keys}

    settle(connection, "stream_failed", found("a", "b"))
    settle(connection, "stream_failed", found("b", "c"))
    settle(connection, "stream_failed", {}, within="c")
    query = "select key from ops.incident where recovered_at is null"
    assert connection.execute(query).fetchall() == [("b",)]
    assert kinds(connection) == ["opened", "opened", "opened", "recovered", "recovered"]


STEPS = st.lists(
    st.tuples(st.sampled_from(["a", "b"]), st.sampled_from(["info", "warning", "critical", "recover"])), max_size=14
)


@given(STEPS)
@settings(max_examples=25)
def test_whatever_is_seen_each_episode_has_one_beginning_and_one_end(
    connection: psycopg.Connection, steps: list[tuple[str, str]]
) -> None:
    connection.execute("truncate ops.alert, ops.incident")
    for key, what in steps:
        if what == "recover":
            recover_now(connection, code="stream_failed", key=key)
        else:
            report(connection, what, key)
    for key in ("a", "b"):
        rows = connection.execute(
            "select kind, severity from ops.alert where subject = %s order by id", [f"{key} stands"]
        ).fetchall()
        ranks = ["info", "warning", "critical"]
        is_open, worst = False, -1
        for kind, severity in rows:
            assert (kind == "opened") is not is_open
            assert kind != "worse" or ranks.index(severity) > worst
            is_open, worst = kind != "recovered", ranks.index(severity)
        count = connection.execute(
            "select count(*) from ops.incident where key = %s and recovered_at is null", [key]
        ).fetchone()
        assert count == (int(is_open),)


def test_a_message_says_what_since_when_whom_and_what_helps(
    connection: psycopg.Connection, database: Database, http: Sink
) -> None:
    report(connection, "critical")
    told(
        database,
        alert_http_url=http.url,
        alert_http_secret="s3",
        alert_slack_url=http.url,
        alert_routes="critical=http",
    )
    (message,), (headers,) = http.received, http.headers
    assert (message["kind"], message["severity"], message["code"]) == ("opened", "critical", "stream_failed")
    assert (message["what"], message["since"], message["users"]) == (BODY["what"], BODY["since"], BODY["users"])
    assert message["do"] == "v2 status" and message["runbook"] == "docs/runbooks/stream-failed.md"
    digest = hmac.new(b"s3", headers["body"].encode(), hashlib.sha256).hexdigest()
    assert headers["X-V2-Signature"] == f"sha256={digest}"


def test_slack_and_mail_read_alike(connection: psycopg.Connection, database: Database, http: Sink, mail: Sink) -> None:
    channels = {"alert_slack_url": http.url, "alert_smtp_url": mail.url, "alert_mail_to": "ops@example.test"}
    report(connection)
    told(database, **channels, alert_routes="warning=slack;critical=mail")
    recover_now(connection, code="stream_failed", key="fub/people")
    report(connection, "critical", "fub/calls")
    told(database, **channels, alert_routes="warning=slack;critical=mail")
    begun, over = http.received
    assert begun["text"] == "⚠️ fub/people stands" and over["text"] == "✅ Recovered: fub/people stands"
    assert "8: 1, 2, 3, 4, 5 and 3 more" in begun["blocks"][1]["text"]["text"]
    (letter,) = mail.received
    assert letter["Subject"] == "🔴 fub/calls stands" and letter["To"] == "ops@example.test"
    assert "do: `v2 status`" in letter.get_content() and "since: 2031-03-01" in letter.get_content()


def test_a_dead_channel_is_passed_over_and_is_an_incident_that_ends(
    connection: psycopg.Connection, database: Database, http: Sink, mail: Sink
) -> None:
    channels = {"alert_slack_url": http.url, "alert_smtp_url": mail.url, "alert_mail_to": "ops@example.test"}
    http.refuses = True
    report(connection)
    told(database, **channels)
    told(database, **channels)
    assert [letter["Subject"] for letter in mail.received] == [
        "⚠️ fub/people stands",
        "⚠️ the alert channel slack cannot be reached",
    ]
    http.refuses = False
    recover_now(connection, code="stream_failed", key="fub/people")
    told(database, **channels)
    told(database, **channels)
    assert [m["text"] for m in http.received] == [
        "✅ Recovered: fub/people stands",
        "✅ Recovered: the alert channel slack cannot be reached",
    ]


def test_what_no_channel_takes_waits_and_is_sent_later(
    connection: psycopg.Connection, database: Database, http: Sink
) -> None:
    http.refuses = True
    report(connection)
    told(database, alert_http_url=http.url)
    told(database, alert_http_url=http.url)
    query = "select attempts, delivered_at is null, error from ops.alert order by id limit 1"
    assert connection.execute(query).fetchone() == (1, True, {"http": "status 503"}), "it is not tried without a pause"
    http.refuses = False
    connection.execute("update ops.alert set next_attempt_at = now()")
    told(database, alert_http_url=http.url)
    assert http.received[0]["subject"] == "fub/people stands"


def test_a_message_that_somebody_else_is_sending_is_not_sent_twice(
    connection: psycopg.Connection, database: Database, http: Sink
) -> None:
    report(connection)
    with database.connect() as other:
        other.execute("select from ops.alert for update")
        told(database, alert_http_url=http.url)
        assert not http.received
    told(database, alert_http_url=http.url)
    assert len(http.received) == 1


_DELIVER = """
import sys
from resources.postgres import Database
from resources.settings import load_settings
from v2_assets.alerting.deliver import deliver
deliver(Database(sys.argv[1]), load_settings(alert_http_url=sys.argv[2]))
"""


def test_a_process_that_is_killed_while_it_delivers_loses_no_message(
    connection: psycopg.Connection, database: Database, http: Sink, tmp_path: Path
) -> None:
    report(connection)
    number = connection.execute("select id from ops.alert").fetchone()
    sender = subprocess.Popen(
        [sys.executable, "-c", _DELIVER, database.url, http.url],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "V2_HOME": str(tmp_path)},
    )
    http.before_answer = sender.kill  # the message has arrived, and nobody will write that down
    assert sender.wait(60) == -signal.SIGKILL
    http.before_answer = lambda: None
    assert connection.execute("select delivered_at from ops.alert").fetchone() == (None,)
    for _ in range(100):  # until the server sees that the sender's connection is gone
        told(database, alert_http_url=http.url)
        if len(http.received) > 1:
            break
        time.sleep(0.05)
    assert [(m["number"],) for m in http.received] == [number, number], "twice, under one number"
    told(database, alert_http_url=http.url)
    assert len(http.received) == 2


@pytest.mark.parametrize("severity", ["warning", "critical"])
def test_a_message_of_every_code_says_what_since_when_who_where_and_what_helps(
    connection: psycopg.Connection, database: Database, http: Sink, mail: Sink, severity: Any
) -> None:
    channels = {"alert_http_url": http.url, "alert_smtp_url": mail.url, "alert_mail_to": "ops@example.test"}
    bare = {"what": "It stands.", "since": None, "users": [], "link": None, "do": None}
    for code in CODES:
        report_now(connection, code=code, key="k", severity=severity, subject=f"{code} happens", body=bare)
    told(database, **channels, alert_routes=f"{severity}=http")
    assert [message["code"] for message in http.received] == list(CODES)
    for message in http.received:
        assert message["what"] == "It stands." and datetime.fromisoformat(message["since"]).tzinfo
        assert message["link"].startswith("https://v2.example.test/") and message["do"].startswith("v2 ")
        assert (ROOT / message["runbook"]).is_file()
    for code in CODES:
        recover_now(connection, code=code, key="k")
    told(database, **channels, alert_routes=f"{severity}=mail")
    assert [letter["Subject"] for letter in mail.received] == [f"✅ Recovered: {code} happens" for code in CODES]
    report_now(connection, code=code, key="k", severity=severity, subject="again", body=bare | {"users": [7]})
    told(database, **channels, alert_routes=f"{severity}=mail")
    lines = dict(line.split(": ", 1) for line in mail.received[-1].get_content().splitlines()[2:])
    assert set(lines) == {"what", "since", "users", "do", "see", "runbook", "code"} and lines["users"] == "1: 7"


def test_quiet_hours_hold_back_all_but_the_critical(
    connection: psycopg.Connection, database: Database, http: Sink
) -> None:
    report(connection)
    report(connection, "critical", "fub/calls")
    night = datetime(2031, 3, 1, 23, tzinfo=UTC)
    quiet = with_channels(alert_http_url=http.url, alert_quiet_hours="22:00-07:00")
    deliver(database, quiet, now=night)
    assert [m["severity"] for m in http.received] == ["critical"]
    deliver(database, quiet, now=night + timedelta(hours=9))
    assert [m["severity"] for m in http.received] == ["critical", "warning"]
    assert is_quiet("22:00-07:00 Europe/Berlin", datetime(2031, 3, 1, 21, 30, tzinfo=UTC))
    assert not is_quiet("09:00-10:00", datetime(2031, 3, 1, 10, tzinfo=UTC))


def test_what_lasts_is_told_again_and_a_dry_run_sends_nothing(
    connection: psycopg.Connection, database: Database, http: Sink
) -> None:
    report(connection)
    assert remind(connection, timedelta(hours=24)) == 0
    connection.execute("update ops.incident set opened_at = now() - interval '25 hours'")
    told(database, alert_http_url=http.url, alert_dry_run=True)
    assert kinds(connection) == ["opened", "reminder"] and not http.received
    assert connection.execute("select distinct channel from ops.alert").fetchall() == [("dry run",)]
    assert remind(connection, timedelta(hours=24)) == 0, "not before another day has passed"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("alert_routes", "loud=slack", "critical"),
        ("alert_routes", "critical=pigeon", "slack"),
        ("alert_quiet_hours", "night", "22:00-07:00"),
        ("alert_quiet_hours", "25:00-07:00", "22:00-07:00"),
        ("alert_quiet_hours", "22:00-07:00 Mars/Base", "22:00-07:00"),
        ("alert_smtp_url", "mail.example.com", "smtp://"),
        ("alert_slack_url", "hooks.example.com/secret-path", "https://"),
    ],
)
def test_a_setting_that_cannot_be_used_says_what_to_write(name: str, value: str, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load_settings(**{name: value})
    assert said in f"{refused.value.message} {refused.value.hint}"
    assert "secret-path" not in f"{refused.value.message} {refused.value.hint}"


def test_a_code_without_an_entry_is_refused_and_every_entry_has_its_runbook(connection: psycopg.Connection) -> None:
    with pytest.raises(UnknownCode):
        report_now(connection, code="odd", key="", severity="info", subject="", body={})
    for code in CODES:
        assert (ROOT / "docs" / runbook(code)).is_file(), f"docs/{runbook(code)} is missing"
