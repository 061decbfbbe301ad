"""When things run, and how big a run is: every policy has a name and the argument for its value."""

from __future__ import annotations

import os
import warnings
from datetime import timedelta

import dagster as dg

# Backfill policies are marked beta in this release; they are pinned with it, so the warning tells us nothing.
warnings.filterwarnings("ignore", category=dg.BetaWarning, message=".*backfill_policy.*")

#: A backfill of many users is split into runs of this size: a run costs about 4 s to start, so more users per run are
#: cheaper, but a run that dies is retried as a whole (its users go on from their cursors).
BACKFILL = dg.BackfillPolicy.multi_run(max_partitions_per_run=25)

#: Follow Up Boss changes all day and filters by time, so a sweep is a page or two per user: every 15 minutes.
_FUB = os.environ.get("V2_FUB_SWEEP_CRON", "*/15 * * * *")
#: reZEN has no usable time filter: a sweep lists every deal of every user, so hourly, off the hour's crowd.
_REZEN = os.environ.get("V2_REZEN_SWEEP_CRON", "7 * * * *")
#: SkySlope tells what changed since an instant in one answer, so it can be asked as often as the CRM.
_SKYSLOPE = os.environ.get("V2_SKYSLOPE_SWEEP_CRON", "*/15 * * * *")
#: Title orders have no change filter: every open order is read again, so hourly, away from reZEN's minute.
_TITLE = os.environ.get("V2_TITLE_SWEEP_CRON", "22 * * * *")
#: When the sweep of each integration starts. V1 and files are read when a person asks for it.
SWEEP_CRONS = {"fub": _FUB, "rezen": _REZEN, "skyslope": _SKYSLOPE, "title": _TITLE}

#: How old a table may become, by the class of its declaration: the first window warns, the second fails. The weekly
#: full sweep reads with what others leave of the budgets, and its users are not swept besides; so the first windows are
#: several sweeps long, and only what has really stopped is told.
FRESHNESS = {
    # Swept every 15 minutes and told of by webhooks: eight sweeps missed, or half a working day.
    "realtime": dg.FreshnessPolicy.time_window(warn_window=timedelta(hours=2), fail_window=timedelta(hours=6)),
    # Swept every hour: six sweeps missed, or a day.
    "hourly": dg.FreshnessPolicy.time_window(warn_window=timedelta(hours=6), fail_window=timedelta(hours=24)),
    # Once a day is enough: a day and the time that a day's run may take, or the age at which any sync is critical.
    "daily": dg.FreshnessPolicy.time_window(warn_window=timedelta(hours=30), fail_window=timedelta(hours=72)),
}

#: Once a week everything is read again, on the quietest night, at backfill's priority.
FULL_SWEEP_CRON = os.environ.get("V2_FULL_SWEEP_CRON", "30 2 * * 0")
#: After midnight, because totals of the month and year depend on the day.
AGGREGATES_CRON = os.environ.get("V2_AGGREGATES_CRON", "50 4 * * *")

#: The standing checks read whole tables; twice an hour, away from the sweeps' minutes.
CHECKS_CRON = os.environ.get("V2_CHECKS_CRON", "11,41 * * * *")

#: Once a day, before people come to work.
REPORT_CRON = os.environ.get("V2_REPORT_CRON", "10 6 * * *")
#: In the quiet of the night, after the full sweep and the aggregates.
COMPARE_CRON = os.environ.get("V2_COMPARE_CRON", "20 5 * * *")
#: After the aggregates' day begins and before the report looks at it; the quietest hours of the sources.
RETENTION_CRON = os.environ.get("V2_RETENTION_CRON", "40 3 * * *")
#: The report shows hours, so a few points in each are enough.
MEASURING_INTERVAL_S = 300

#: Trouble is told within a minute; looking costs a few reads of indexes.
ALERTS_INTERVAL_S = 30

#: The monitor itself is watched by nobody else under `v2 up`, and by the service manager elsewhere.
MONITOR_WATCH_INTERVAL_S = 60

#: A user who was deleted is left alone within a minute.
PARTITIONS_INTERVAL_S = 60

#: What is served from V2 and turns red is to be V1's again within a minute.
GATE_INTERVAL_S = 60

#: The floor in Dagster; a new credential is to be running within 30 s, of which verifying and starting take some.
ONBOARDING_INTERVAL_S = 5
#: The backlog sensor is the net below the fast path, so half a minute is early enough.
BACKLOG_INTERVAL_S = 30

#: The floor in Dagster: what a webhook told of is to be in V2 within ten seconds.
INBOX_INTERVAL_S = 1
#: A new credential gets its webhooks within this; each connection is looked at again once a day.
WEBHOOK_AUDIT_INTERVAL_S = 60

#: Tags by which a run says what kind of pass it is.
FULL_TAG = "v2/full"
PRIORITY_TAG = "v2/priority"
#: A stream that was never read is read for so many days back only; what is older follows in later runs.
RECENT_TAG = "v2/recent-days"
#: A person has looked and says that a source really lost that many records.
SHRINK_TAG = "v2/accept-shrink"
KIND_TAG = "v2/kind"
#: The users (as partition keys) that a run over a range works for, where it is not everybody in the range.
USERS_TAG = "v2/users"
#: Runs of this kind read history behind the sweeps, which do not wait for them.
HISTORY_KIND = "history"
#: Runs that may take minutes; dagster.yaml keeps places free beside them, so that a webhook's run never waits for one.
LANE = {"v2/lane": "bulk"}
#: The users of a run, for the backlog sensor: what is being worked on needs no second run.
INTEGRATION_TAG = "v2/integration"

OWNERS = ["team:data-platform"]
