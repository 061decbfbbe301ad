"""The comparison as an asset: once a day, V1's snapshot read again where it is old, counts by reason in the UI."""

import asyncio
from datetime import timedelta

import dagster as dg

from resources.errors import MissingCredential
from resources.postgres import Database
from v2_assets.automation import COMPARE_CRON, OWNERS
from v2_assets.compare.engine import CompareFailed, ComparisonResult, compare, load
from v2_assets.compare.snapshot import take
from v2_assets.compare.source import not_taken, reader_of_v1, v1_tables_for
from v2_assets.imports.v1 import through_api
from v2_assets.platform_resource import PlatformResource


@dg.asset(
    group_name="operations",
    kinds={"postgres"},
    owners=OWNERS,
    description="V1 beside V2: what is missing, extra or changed in each table, and why. Its rows are in"
    " ops.comparison_run and its like; `v2 compare --last` shows the same.",
)
def v1_comparison(context: dg.AssetExecutionContext, platform: PlatformResource) -> dg.MaterializeResult:
    database = platform.database
    _refresh(context, platform, database)
    failure: CompareFailed | None = None
    try:
        result = compare(database, run_id=context.run.run_id, progress=context.log.info)
    except CompareFailed as error:
        failure, result = error, load(database, int(error.context["comparison"]))
    if failure is not None:
        raise dg.Failure(failure.message, metadata=metadata_of(result))
    return dg.MaterializeResult(metadata=metadata_of(result))


def _refresh(context: dg.AssetExecutionContext, platform: PlatformResource, database: Database) -> None:
    """Reads V1's tables that are old or were never read; without a connection, what a person has taken is compared."""
    try:
        user = reader_of_v1(database)
    except MissingCredential as error:
        context.log.info(f"{error.message}; V1 is compared as it was last taken")
        return
    old = not_taken(database, v1_tables_for(None), older_than=timedelta(days=platform.settings.compare_refresh_days))
    if not old:
        return

    async def run() -> None:
        async with through_api(database, platform.settings, user)() as source:
            await take(database, source, old, "Xano", progress=context.log.info)

    asyncio.run(run())


def metadata_of(result: ComparisonResult) -> dict[str, dg.MetadataValue]:
    """Totals, and the differences of each table by reason as a table in Markdown."""
    compared = [each for each in result.tables if each.status == "compared"]
    lines = ["| table | rows V1 | rows V2 | missing | extra | changed | reasons |", "| --- " * 7 + "|"]
    for each in compared:
        reasons = ", ".join(f"{name} {rows:,}" for name, rows in sorted(each.reasons.items(), key=lambda r: -r[1]))
        lines.append(
            f"| {each.table} | {each.rows_v1:,} | {each.rows_v2:,} | {each.missing:,} | {each.extra:,}"
            f" | {each.changed:,} | {reasons} |"
            if each.rows_v1 is not None
            else f"| {each.table} | | | | | | |"
        )
    lines += [
        f"| {each.table} | | | | | | {(each.error or {}).get('code')} |"
        for each in result.tables
        if each.status == "failed"
    ]
    return {
        "comparison": dg.MetadataValue.int(result.id),
        "differences": dg.MetadataValue.md("\n".join(lines)),
        **{
            name: dg.MetadataValue.int(sum(getattr(each, name) for each in compared))
            for name in ("missing", "extra", "changed", "explained", "open", "red")
        },
    }


COMPARISON = [v1_comparison]
compare_job = dg.define_asset_job(
    "compare_v1",
    selection=dg.AssetSelection.assets(v1_comparison),
    description="Compares V1 with V2 and keeps what differs, and why. Changes no record.",
)


@dg.schedule(
    name="v1_comparison",
    job=compare_job,
    cron_schedule=COMPARE_CRON,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Compares V1 with V2, every table in full.",
)
def compare_schedule(
    context: dg.ScheduleEvaluationContext, platform: PlatformResource
) -> dg.RunRequest | dg.SkipReason:
    with platform.database.connect() as connection:
        taken = connection.execute("select exists (select from ops.v1_snapshot where taken_at is not null)").fetchone()
    if taken and taken[0]:
        return dg.RunRequest()
    try:
        reader_of_v1(platform.database)
    except MissingCredential as error:
        return dg.SkipReason(f"{error.message}, and no copy of V1 was taken: there is nothing to compare with")
    return dg.RunRequest()
