"""Measurements: each is taken from a real database, none names a person, and what was kept can be drawn."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette

from resources.http.budget import Limit, PostgresBudget
from resources.postgres import Database
from resources.settings import load_settings
from v2_assets.health.measures import MEASURES, history, keep, take
from v2_assets.health.report import draw, keep_report, report_url
from v2_assets.monitor.metrics import Pages

STAGED = """
insert into staging.stage_fub_people
  (user_id, account_ref, source_id, payload, payload_hash, fetched_at, run_id, status, status_reason, waits_for)
values (901, 'fub/77/901', %s, '{}', '\\x00', now() - interval '2 hours', 'r', %s, %s, %s)
"""


@pytest.fixture
def connection(database: Database) -> Iterator[psycopg.Connection[Any]]:
    with database.connect(autocommit=True) as made:
        yield made


@pytest.fixture
def busy(connection: psycopg.Connection[Any], database: Database) -> psycopg.Connection[Any]:
    """A platform that has something to say under every metric."""
    for number, (status, reason, waits) in enumerate(
        [
            ("pending", None, None),
            ("pending", None, None),
            ("deferred", "missing_parent", "agent/a"),
            ("rejected", "unknown_code", None),
        ]
    ):
        connection.execute(STAGED, [str(number), status, reason, waits])
    connection.execute("insert into v2.user (id, email) values (901, 'ines@example.test')")
    connection.execute(
        "insert into v2.credentials (user_id, platform, account_id, state, verified, verified_at)"
        " values (901, 'fub', '77', 'ok', true, now())"
    )
    connection.execute(
        "insert into ops.sync_state (integration, entity, account_ref, user_id, last_sync_at)"
        " values ('fub', 'people', 'fub/77/901', 901, now() - interval '3 hours')"
    )
    connection.execute(
        "insert into ops.sweep (account_ref, integration, entity, completed_at, seen, expected)"
        " values ('fub/77/901', 'fub', 'people', now(), 4, 10)"
    )
    connection.execute(
        "insert into ops.pull (integration, entity, run_id, passes, failed, fetched, rejected, failed_users)"
        " values ('fub', 'people', 'r', 3, 1, 9, 0, '[901]')"
    )
    connection.execute(
        "insert into ops.onboarding_job (user_id, integration, credentials_id)"
        " select 901, 'fub', id from v2.credentials where user_id = 901"
    )
    connection.execute(
        "insert into ops.merge_run (table_name, user_id, ended_at, counts) values ('fub_people', 901, now(), %s)",
        ['{"read": 40}'],
    )
    connection.execute(
        """insert into ops.error_log ("where", code, message, user_id) values ('sync', 'timeout', 'slow', 901)"""
    )
    connection.execute(
        "insert into ops.parked_key (table_name, work, owner_id, reason) values ('agent_performance', 'x', 901, '{}')"
    )
    limits = [Limit("fub:system:global", 100), Limit("fub:77:global", 100)]

    async def throttled() -> None:
        async with database.async_pool(1, 1) as pool:
            budget = PostgresBudget(pool)
            await budget.take(limits, "incremental")
            await budget.punish(limits, 1)

    asyncio.run(throttled())
    return connection


def get(database: Database, *paths: str, key: str | None = None, shown: str = "") -> list[httpx.Response]:
    """What the pages of one process answer, one after the other, to somebody who shows a key."""
    app = Starlette(routes=Pages(database, key).routes())

    async def ask() -> list[httpx.Response]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://monitor") as client:
            return [await client.get(path, headers={"X-V2-Key": shown}) for path in paths]

    return asyncio.run(ask())


def test_every_metric_tells_what_there_is_and_none_tells_of_a_person(busy: psycopg.Connection[Any]) -> None:
    samples = take(busy)
    assert {sample.name for sample in samples} == {measure.name for measure in MEASURES}
    told = {(s.name, s.labels): s.value for s in samples}
    assert told["v2_staged_records", ("stage_fub_people", "pending")] == 2
    assert told["v2_staged_records", ("stage_fub_people", "deferred")] == 1
    assert told["v2_staged_records", ("stage_fub_people", "rejected")] == 1
    assert told["v2_staged_records", ("stage_fub_deals", "pending")] == 0
    assert 7200 <= told["v2_oldest_waiting_seconds", ("stage_fub_people",)] < 7400
    assert 10800 <= told["v2_stream_lag_seconds", ("fub", "people")] < 11000
    assert told["v2_merged_records_last_hour", ("fub_people",)] == 40
    assert told["v2_gap_records", ("fub", "people")] == 10, "what waits for hours is not in V2"
    assert told["v2_failed_passes_last_day", ("fub",)] == 1
    assert told["v2_throttled_total", ("fub",)] == 1, "one answer that slowed two budgets"
    assert told["v2_parked_keys", ("agent_performance",)] == 1
    assert told["v2_warned_records", ("stage_fub_people",)] == 0
    assert told["v2_budget_share", ("fub",)] < 1
    assert not [label for s in samples for label in s.labels if "901" in label or "@" in label or label == "77"]


def test_prometheus_reads_the_page_and_gets_the_same_numbers(busy: psycopg.Connection[Any], database: Database) -> None:
    answer, again = get(database, "/metrics", "/metrics")
    assert (answer.status_code, again.text) == (200, answer.text)
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    assert {m.name.removesuffix("_total") for m in MEASURES} == set(families)
    for measure in MEASURES:
        family = families[measure.name.removesuffix("_total")]
        assert (family.type, family.documentation) == (measure.kind, measure.meaning)
        assert all(set(sample.labels) == set(measure.labels) for sample in family.samples)


def test_without_a_database_the_pages_say_so_and_do_not_say_zero() -> None:
    away = Database("postgresql://v2:secret@127.0.0.1:1/v2", connect_deadline_s=0.1)
    for answer in get(away, "/metrics", "/reports/1"):
        assert answer.status_code == 503 and "secret" not in answer.text


def test_history_is_the_hourly_maximum_and_what_is_old_is_forgotten(busy: psycopg.Connection[Any]) -> None:
    keep(busy, take(busy))
    keep(busy, take(busy))
    busy.execute(
        "insert into ops.measurement (at, metric, labels, value) values"
        " (now() - interval '36 days', 'v2_staged_records', '{stage_fub_people,pending}', 99),"
        " (now() - interval '2 hours', 'v2_staged_records', '{stage_fub_people,pending}', 7)"
    )
    busy.execute("update ops.pull set at = now() - interval '36 days'")
    keep(busy, [])
    told = [v for _, labels, v in history(busy, "v2_staged_records") if labels == ("stage_fub_people", "pending")]
    assert told == [7, 2]
    assert busy.execute("select count(*) from ops.pull").fetchone() == (0,)


def test_the_report_shows_what_waits_and_draws_what_was_measured(
    busy: psycopg.Connection[Any], database: Database
) -> None:
    empty = draw(busy)
    assert empty.count("Nothing so far.") == 6
    busy.execute(
        "insert into ops.measurement (at, metric, labels, value) values"
        " (now() - interval '3 hours', 'v2_throttled_total', '{fub}', 5),"
        " (now() - interval '2 hours', 'v2_throttled_total', '{fub}', 9)"
    )
    keep(busy, take(busy))
    html = draw(busy)
    assert "Nothing so far." not in html and html.count("<svg") == 6
    assert "<td>stage_fub_people</td><td>2</td><td>1</td><td>1</td>" in html
    assert "<td>fub</td><td>1</td><td>0</td><td>0</td><td>0</td><td>3.0 h</td>" in html
    assert "http://" not in html.replace("http://www.w3.org", "").replace("http://purl.org", "").replace(
        "http://creativecommons.org", ""
    ), "the page loads nothing from elsewhere"
    number = keep_report(busy, "health", html)
    found, missing = get(database, f"/reports/{number}", f"/reports/{number + 1}")
    assert (found.text, missing.status_code) == (html, 404)


def test_with_a_key_reports_are_for_the_proxy_that_shows_it(busy: psycopg.Connection[Any], database: Database) -> None:
    number = keep_report(busy, "health", "<p>")
    statuses = [get(database, f"/reports/{number}", key="k" * 64, shown=s)[0].status_code for s in ("", "x", "k" * 64)]
    assert statuses == [403, 403, 200]


def test_a_report_is_linked_where_people_reach_it() -> None:
    assert report_url(load_settings(monitor_port=3999), 7) == "http://127.0.0.1:3999/reports/7"
    assert report_url(load_settings(public_url="https://v2.example.com"), 7) == "https://v2.example.com/reports/7"


def test_an_empty_platform_has_a_report_too(connection: psycopg.Connection[Any]) -> None:
    html = draw(connection)
    assert "No stream has been read yet." in html and "None: every staged record" in html
