"""The kinds of trouble that people are told of. Each has its runbook, `docs/runbooks/<code with hyphens>.md`."""

from __future__ import annotations

CODES: dict[str, str] = {
    "alert_channel": "A channel for alerts cannot be reached.",
    "alert_undelivered": "Messages wait because no channel takes them.",
    "asset_without_trigger": "No schedule and no sensor starts an asset.",
    "backlog_large": "Staged records wait for their merge.",
    "backup_old": "No backup has been made for too long.",
    "check_failed": "A standing check of a table is broken.",
    "credential_not_verified": "A new key was refused when it was first tried.",
    "credential_refused": "A key that worked is refused by its source, twice and minutes apart.",
    "database_away": "The database cannot be reached: nothing is read, merged or received.",
    "daemon_dead": "Dagster's daemon gives no sign of life: nothing is started by the clock.",
    "inbox_old": "Webhook events wait to be read again.",
    "onboarding_failed": "An onboarding ended without everything being read.",
    "onboarding_stuck": "An onboarding has not ended for hours.",
    "process_died": "A process of the platform ended by itself.",
    "rejected_share": "Many records of a source break a rule.",
    "row_gap": "Fewer records were met than the source says it has.",
    "run_failed": "A run failed for a reason that is not a source's.",
    "source_refuses_keys": "A source refuses the keys of many accounts at once.",
    "stream_failed": "A stream of a source cannot be read for some users.",
    "stream_old": "Users have had no successful sync for a day or more.",
    "sweep_unproven": "Full passes met fewer records than there are, so nothing is known to be gone.",
    "switch_stopped": "The gate turned red for something that V2 served; V1 serves it again.",
    "sync_failures": "A large part of the streams failed when they were last read.",
    "table_not_fresh": "Tables are older than their class allows.",
    "tick_failed": "A sensor or schedule fails each time it runs.",
    "ticks_stopped": "The daemon lives, and no sensor has ticked for minutes: nothing is started by the clock.",
    "trigger_off": "A schedule or sensor is switched off.",
    "unknown_word": "A source uses words that V2 does not know; their columns are empty.",
    "webhook_disabled": "A source had switched webhooks off; they are on again.",
    "webhook_over_quota": "A connection sends more webhook events than it may; the rest is refused.",
    "webhook_unknown_event": "A source sends events that this version does not know.",
}


def runbook(code: str) -> str:
    """The page of a code, from the folder of the documents."""
    return f"runbooks/{code.replace('_', '-')}.md"
