"""Whatever a record holds: it is merged, or listed with a reason; all others are merged as if it were not there."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from resources.postgres import Database
from tests.conftest import PostgresServer
from tests.merge.arrival import RARELY
from tests.merge.mutants import LONG, Mutant, Outcome, cases, mutants, run, stages
from v2_assets.merge.statements import UNKNOWN_WORD

#: Every status but pending, and rejected only with one of these reasons.
REASONS = {"invalid_record", "unknown_code", "missing_key", "merge_error"}


def complaints(made: list[Mutant], plain: Outcome, found: Outcome) -> list[str]:
    """What is not as it must be, a line for each."""
    told = [
        f"{record} is {found.own.get(record)} beside mutants, and {status} without"
        for record, status in plain.own.items()
        if found.own.get(record) != status
    ]
    told += [f"{parked} is parked" for parked in found.parked]
    for mutant in made:
        row = found.mutated[mutant.stage, mutant.record.source_id]
        if row["status"] == "pending":
            told.append(f"{mutant} is pending")
        if row["status"] == "rejected":
            if row["status_reason"] not in REASONS or not row["status_detail"]:
                told.append(f"{mutant} is rejected without a reason")
            # Sizes are no matter of a model: only a text that no index takes may be left to Postgres.
            if row["status_reason"] == "merge_error" and (row["status_detail"].get("sqlstate"), mutant.value) != (
                "54000",
                LONG,
            ):
                told.append(f"{mutant} got past its model: {row['status_detail']}")
        kept = [warning for warning in row["warnings"] or () if warning["code"] != UNKNOWN_WORD]
        if len(mutant.record.warnings) != len(kept):
            told.append(f"{mutant} lost its warnings")
    return told


@RARELY
@given(stage=st.sampled_from(stages()), seed=st.integers(0, 10**6), data=st.data())
def test_mutants_of_every_kind_hurt_nobody_and_are_merged_or_listed_with_a_reason(
    postgres_server: PostgresServer, migrated_template: str, stage: str, seed: int, data: st.DataObject
) -> None:
    case = data.draw(st.sampled_from(cases(stage)))
    made = mutants(case, stage, 12, random.Random(seed))
    outcomes = []
    for beside in ([], made):
        name = postgres_server.create(template=migrated_template)
        outcomes.append(run(Database(postgres_server.url(name)), case, stage, beside))
        postgres_server.drop(name)
    assert complaints(made, *outcomes) == []
