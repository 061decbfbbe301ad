"""What the database itself refuses. One case per CHECK; a CHECK without a case fails the last test."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import CheckConstraint

from resources.postgres import Database
from v2_assets.schema import metadata

STAGED = {
    "user_id": "1",
    "account_ref": "'fub/77/1'",
    "source_id": "'9'",
    "payload": "'{}'",
    "payload_hash": "'\\x00'",
    "fetched_at": "now()",
    "run_id": "'r'",
}


def staged(**more: str) -> str:
    """An insert of a good staged row, with the given columns changed."""
    row = STAGED | more
    return f"insert into staging.stage_fub_people ({', '.join(row)}) values ({', '.join(row.values())})"


USER = "insert into v2.user (id, email) values (1, 'ines@example.test')"
CREDENTIAL = "insert into v2.credentials (user_id, platform, {0}) values (1, 'fub', {1})"
JOB = "insert into ops.onboarding_job (user_id, integration, credentials_id, {0}) values (1, 'fub', 1, {1})"
WEBHOOK = (
    "insert into ops.webhook_inbox (source, event_key, credentials_id, event, body, {0})"
    " values ('fub', 'k', 1, 'peopleUpdated', '\\x00', {1})"
)
ALERT = "insert into ops.alert (code, severity, subject, kind) values ('c', 'info', 's', '{0}')"
INCIDENT = "insert into ops.incident (code, key, severity, subject, told) values ('c', 'k', 'info', 's', '{0}')"
MEMBER = (
    "insert into v2.network_member (network_id_raw, agent_id_raw, downline_agent_id_raw, tier, source)"
    " values ('a:b', 'a', 'b', {0}, 'rezen')"
)
PAIR = "insert into v2.network_hierarchy (ancestor_agent_id, descendant_agent_id, depth, path) values ({0})"
CHANGE = (
    "insert into v2.network_change_log (network_id_raw, type, observed_at, source)"
    " values ('a:b', '{0}', now(), 'rezen')"
)
COMPARISON = "insert into ops.comparison_run (scope, {0}) values ('full', {1})"
DIFFERENCE = (
    "insert into ops.comparison_diff (run_id, table_name, kind, keys, reason) values (1, 't', '{0}', '{{}}', 'x')"
)
COUNTED = "insert into ops.comparison_count (run_id, table_name, kind, reason, rows) values (1, 't', '{0}', 'x', 1)"
PULL = (
    "insert into ops.pull (integration, entity, run_id, passes, failed, fetched, rejected)"
    " values ('fub', 'people', 'r', 2, {0}, 0, 0)"
)
DECISION = "insert into ops.switch_decision (who, reason, action, {0}) values ('me', 'tried', {1})"
SNAPSHOT = "insert into ops.v1_snapshot (table_name, source, {0}) values ('t', 's', {1})"

# CHECK → a statement that breaks it and nothing else, and one that keeps it.
CASES: dict[str, tuple[str, str]] = {
    "stage_fub_people_status_check": (staged(status="'lost'"), staged(status="'pending'")),
    "stage_fub_people_processed_check": (
        staged(status="'processed'", v2_id="1"),
        staged(status="'processed'", v2_id="1", processed_at="now()"),
    ),
    "stage_fub_people_refused_check": (
        staged(status="'filtered'"),
        staged(status="'filtered'", status_reason="'trash'"),
    ),
    "stage_fub_people_deferred_check": (
        staged(status="'deferred'", status_reason="'missing_parent'"),
        staged(status="'deferred'", status_reason="'missing_parent'", waits_for="'agent/a'"),
    ),
    "stage_fub_people_duplicate_check": (staged(status="'duplicate'"), staged(status="'pending'")),
    "stage_fub_people_counts_check": (staged(missed_sweeps="-1"), staged(missed_sweeps="2")),
    "stage_fub_people_payload_check": (staged(payload="'[]'"), staged(payload="'{\"id\": 9}'")),
    "user_email_check": (USER.replace("ines", "Ines"), USER),
    "credentials_platform_check": (
        "insert into v2.credentials (user_id, platform) values (1, 'myspace')",
        "insert into v2.credentials (user_id, platform) values (1, 'rezen')",
    ),
    "credentials_state_check": (CREDENTIAL.format("state", "'odd'"), CREDENTIAL.format("state", "'needs_reconnect'")),
    "credentials_verified_check": (
        CREDENTIAL.format("verified", "true"),
        CREDENTIAL.format("verified, verified_at", "true, now()"),
    ),
    "state_province_abbreviation_check": (
        "insert into v2.state_province (abbreviation, name, country) values ('utah', 'Utah', 'US')",
        "insert into v2.state_province (abbreviation, name, country) values ('ZZ', 'Zed', 'US')",
    ),
    "state_province_country_check": (
        "insert into v2.state_province (abbreviation, name, country) values ('ZZ', 'Zed', 'USA')",
        "insert into v2.state_province (abbreviation, name, country) values ('ZZ', 'Zed', 'CA')",
    ),
    "address_address_key_check": (
        "insert into v2.address (address_key, source) values ('', 'rezen')",
        "insert into v2.address (address_key, source) values ('9 SAMPLE RD', 'rezen')",
    ),
    "agent_hierarchy_own_sponsor_check": (
        "insert into v2.agent_hierarchy (agent_id, sponsor_agent_id, source) values (1, 1, 'rezen')",
        "insert into v2.agent_hierarchy (agent_id, sponsor_agent_id, source) values (1, 2, 'rezen')",
    ),
    "transaction_duplicate_check": (
        "insert into v2.transaction (id, transaction_id_raw, duplicate_of_id, source) overriding system value"
        " values (1, 't', 1, 'rezen')",
        "insert into v2.transaction (id, transaction_id_raw, duplicate_of_id, source) overriding system value"
        " values (1, 't', 2, 'rezen')",
    ),
    "participant_of_something_check": (
        "insert into v2.participant (participant_id_raw, source) values ('p', 'rezen')",
        "insert into v2.participant (participant_id_raw, transaction_id, source) values ('p', 1, 'rezen')",
    ),
    "sync_state_status_check": (
        "insert into ops.sync_state (integration, entity, account_ref, user_id, status) values ('f','p','a',1,'odd')",
        "insert into ops.sync_state (integration, entity, account_ref, user_id, status)"
        " values ('f','p','a',1,'excluded')",
    ),
    "sync_state_cursor_check": (
        "insert into ops.sync_state (integration, entity, account_ref, user_id, cursor) values ('f','p','a',1,'3')",
        "insert into ops.sync_state (integration, entity, account_ref, user_id) values ('f','p','a',1)",
    ),
    "onboarding_job_status_check": (JOB.format("status", "'Lost'"), JOB.format("status", "'Started'")),
    "onboarding_job_ended_check": (
        JOB.format("status", "'Partial'"),
        JOB.format("status, ended_at", "'Partial', now()"),
    ),
    "alert_severity_check": (
        "insert into ops.alert (code, severity, subject) values ('c', 'loud', 's')",
        "insert into ops.alert (code, severity, subject) values ('c', 'critical', 's')",
    ),
    "alert_kind_check": (ALERT.format("shouted"), ALERT.format("reminder")),
    "incident_severity_check": (INCIDENT.format("loud"), INCIDENT.format("critical")),
    "sweep_completed_check": (
        "insert into ops.sweep (account_ref, integration, entity, applied_at) values ('a', 'fub', 'people', now())",
        "insert into ops.sweep (account_ref, integration, entity, applied_at, completed_at)"
        " values ('a', 'fub', 'people', now(), now())",
    ),
    "webhook_inbox_state_check": (
        WEBHOOK.format("state, handled_at, reason", "'lost', now(), 'x'"),
        WEBHOOK.format("state", "'new'"),
    ),
    "webhook_inbox_handled_check": (
        WEBHOOK.format("state", "'done'"),
        WEBHOOK.format("state, handled_at", "'done', now()"),
    ),
    "webhook_inbox_parked_check": (
        WEBHOOK.format("state, handled_at", "'parked', now()"),
        WEBHOOK.format("state, handled_at, reason", "'parked', now(), 'unknown_event'"),
    ),
    "api_token_scopes_check": (
        "insert into ops.api_token (hash, user_id, scopes) values ('a', 1, '{write}')",
        "insert into ops.api_token (hash, user_id, scopes) values ('a', 1, '{read}')",
    ),
    "webhook_registration_outcome_check": (
        "insert into ops.webhook_registration (credentials_id, outcome) values (1, 'odd')",
        "insert into ops.webhook_registration (credentials_id, outcome) values (1, 'ok')",
    ),
    "v1_snapshot_status_check": (SNAPSHOT.format("status", "'lost'"), SNAPSHOT.format("status", "'absent'")),
    "v1_snapshot_complete_check": (
        SNAPSHOT.format("status, rows", "'complete', 1"),
        SNAPSHOT.format("status, rows, taken_at", "'complete', 1, now()"),
    ),
    "comparison_run_scope_check": (
        "insert into ops.comparison_run (scope) values ('odd')",
        "insert into ops.comparison_run (scope) values ('sample')",
    ),
    "comparison_run_status_check": (
        COMPARISON.format("status, ended_at", "'odd', now()"),
        COMPARISON.format("status, ended_at", "'failed', now()"),
    ),
    "comparison_run_ended_check": (
        COMPARISON.format("status", "'complete'"),
        COMPARISON.format("status, ended_at", "'complete', now()"),
    ),
    "comparison_table_status_check": (
        "insert into ops.comparison_table (run_id, table_name, status) values (1, 't', 'odd')",
        "insert into ops.comparison_table (run_id, table_name, status) values (1, 't', 'not_in_v1')",
    ),
    "comparison_count_kind_check": (COUNTED.format("odd"), COUNTED.format("extra")),
    "comparison_diff_kind_check": (DIFFERENCE.format("odd"), DIFFERENCE.format("missing")),
    "pull_failed_check": (PULL.format("3"), PULL.format("2")),
    "switch_decision_action_check": (
        DECISION.format("endpoint, share", "'odd', '/listings/all', 5"),
        DECISION.format("endpoint, share", "'set', '/listings/all', 5"),
    ),
    "switch_decision_subject_check": (
        DECISION.format("endpoint, user_id, share", "'set', '/listings/all', 1, 5"),
        DECISION.format("user_id", "'hold', 1"),
    ),
    "switch_decision_share_check": (
        DECISION.format("endpoint, share", "'set', '/listings/all', 101"),
        DECISION.format("endpoint, share", "'set', '/listings/all', 100"),
    ),
    "network_member_tier_check": (MEMBER.format("0"), MEMBER.format("1")),
    "network_hierarchy_depth_check": (PAIR.format("1, 2, 0, '{1,2}'"), PAIR.format("1, 2, 1, '{1,2}'")),
    "network_hierarchy_direction_check": (PAIR.format("1, 1, 1, '{1,1}'"), PAIR.format("1, 3, 2, '{1,2,3}'")),
    "network_change_log_type_check": (CHANGE.format("Weather"), CHANGE.format("Status")),
    "contribution_duplicate_check": (
        "insert into v2.contribution (id, contribution_id_raw, duplicate_of_id, source) overriding system value"
        " values (1, 'c', 1, 'rezen')",
        "insert into v2.contribution (id, contribution_id_raw, duplicate_of_id, source) overriding system value"
        " values (1, 'c', 2, 'rezen')",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_database_refuses_what_breaks_the_law_and_takes_what_keeps_it(shared_url: str, name: str) -> None:
    broken, kept = CASES[name]
    with psycopg.connect(shared_url) as connection:
        with pytest.raises(psycopg.errors.CheckViolation) as caught:
            connection.execute(broken)  # type: ignore[arg-type]
        assert caught.value.diag.constraint_name == name
        connection.rollback()
        connection.execute(kept)  # type: ignore[arg-type]
        connection.rollback()  # parents are checked at commit, and are not what this is about


def test_every_check_has_a_case() -> None:
    declared = {
        str(constraint.name)
        for table in metadata.tables.values()
        if table.schema != "staging" or table.name == "stage_fub_people"
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    }
    assert declared == set(CASES)


def test_a_processed_row_must_name_its_v2_row(shared_url: str) -> None:
    with psycopg.connect(shared_url) as connection, pytest.raises(psycopg.errors.CheckViolation):
        connection.execute(staged(status="'processed'", processed_at="now()"))  # type: ignore[arg-type]


def test_a_rejected_row_must_say_why(shared_url: str) -> None:
    with psycopg.connect(shared_url) as connection, pytest.raises(psycopg.errors.CheckViolation):
        connection.execute(staged(status="'rejected'"))  # type: ignore[arg-type]


def test_a_row_cannot_be_its_own_duplicate(shared_url: str) -> None:
    with psycopg.connect(shared_url) as connection:
        connection.execute(staged())  # type: ignore[arg-type]
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute("update staging.stage_fub_people set status = 'duplicate', duplicate_of = id")


def test_a_duplicate_must_name_a_row_that_exists(database: Database) -> None:
    with psycopg.connect(database.url) as connection:
        connection.execute(staged(status="'duplicate'", duplicate_of="12345"))  # type: ignore[arg-type]
        with pytest.raises(psycopg.errors.ForeignKeyViolation) as caught:
            connection.commit()
    assert caught.value.diag.constraint_name == "stage_fub_people_duplicate_of_fkey"


def test_one_account_holds_a_record_once(shared_url: str) -> None:
    with psycopg.connect(shared_url) as connection:
        connection.execute(staged())  # type: ignore[arg-type]
        connection.execute(staged(account_ref="'fub/77/2'"))  # type: ignore[arg-type]
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute(staged())  # type: ignore[arg-type]


def test_a_child_may_be_written_before_its_parent_but_not_without_it(database: Database) -> None:
    child = "insert into v2.user_roles (user_id) values (1)"
    with psycopg.connect(database.url) as connection:
        connection.execute(child)  # type: ignore[arg-type]
        connection.execute(USER)  # type: ignore[arg-type]
        connection.commit()
        connection.execute("insert into v2.user_settings (user_id) values (2)")
        with pytest.raises(psycopg.errors.ForeignKeyViolation) as caught:
            connection.commit()
    assert caught.value.diag.constraint_name == "user_settings_user_id_fkey"


def test_a_key_with_a_missing_part_still_counts_once(shared_url: str) -> None:
    row = "insert into v2.participant (participant_id_raw, transaction_id, source) values ('p', 1, 'rezen')"
    with psycopg.connect(shared_url) as connection:
        connection.execute(row)
        with pytest.raises(psycopg.errors.UniqueViolation) as caught:
            connection.execute(row)
        assert caught.value.diag.constraint_name == "participant_key"
        connection.rollback()
