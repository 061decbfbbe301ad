"""What ends with what: rows that mean nothing without the row they belong to, by foreign key.

A participant ends with its deal, a call with its contact; an address does not end with anybody. Here: which, and the
statements that make the rows follow. Not here: who finds a row to be gone (`staging.sweep`), or back (`merge.engine`).
"""

from __future__ import annotations

from collections.abc import Iterator

from psycopg import sql

from v2_assets.schema.stage import STREAMS

#: Table → columns that point to what its rows belong to.
OWNERS: dict[str, tuple[str, ...]] = {
    "transaction_financials": ("transaction_id",),
    "transaction_tags": ("transaction_id",),
    "participant": ("transaction_id", "listing_id"),
    "transaction_participants": ("transaction_id", "participant_id"),
    "participant_paid": ("transaction_id", "participant_id"),
    "listing_photos": ("listing_id",),
    "team_settings": ("team_id",),
    "team_members": ("team_id",),
    "title_events": ("order_id",),
    "fub_calls": ("fub_people_id",),
    "fub_events": ("fub_people_id",),
    "fub_text_messages": ("fub_people_id",),
    "fub_appointments": ("invited_person_id",),
}
_PARENTS = {
    "transaction_id": "transaction",
    "listing_id": "listing",
    "participant_id": "participant",
    "team_id": "team",
    "order_id": "title_orders",
    "fub_people_id": "fub_people",
    "invited_person_id": "fub_people",
}


def owners_of(table: str) -> list[tuple[str, str]]:
    """(column, owner's table) of everything that rows of `table` belong to."""
    return [(column, _PARENTS[column]) for column in OWNERS.get(table, ())]


def owned_by(table: str) -> list[tuple[str, str]]:
    """(child table, its column) of everything that belongs to rows of `table`."""
    return [(child, column) for child, columns in OWNERS.items() for column in columns if _PARENTS[column] == table]


def end_with(table: str) -> Iterator[tuple[str, sql.Composed]]:
    """For each child table a statement that soft-deletes what belongs to the rows `%(ids)s`, and returns its ids."""
    for child, column in owned_by(table):
        yield (
            child,
            sql.SQL(
                "update {} set deleted_at = now(), updated_at = now()"
                " where {} = any(%(ids)s) and deleted_at is null returning id"
            ).format(sql.Identifier("v2", child), sql.Identifier(column)),
        )


def return_with(table: str) -> Iterator[sql.Composed]:
    """Statements that bring back what belongs to the rows `%(ids)s`, which are back.

    Only children that are records of their own; the others are written anew with their parent. The staged records
    become pending: what the source itself calls deleted is deleted again by that merge. A row whose newest version
    cannot be merged comes back as it was.
    """
    for child, column in owned_by(table):
        for stream in (s for s in STREAMS if s.primary == child):
            words = {
                "stage": sql.Identifier("staging", stream.table),
                "child": sql.Identifier("v2", child),
                "column": sql.Identifier(column),
            }
            yield sql.SQL(
                "update {stage} s set status = 'pending' from {child} c where c.{column} = any(%(ids)s)"
                " and c.deleted_at is not null and s.v2_id = c.id and s.status = 'processed' and s.missed_sweeps < 2"
            ).format(**words)
            yield sql.SQL(
                "update {child} c set deleted_at = null, updated_at = now() where c.{column} = any(%(ids)s)"
                " and c.deleted_at is not null and exists (select from {stage} s where s.v2_id = c.id"
                "  and s.status in ('rejected', 'deferred') and s.missed_sweeps < 2)"
                " and not exists (select from {stage} s where s.v2_id = c.id"
                "  and s.status in ('processed', 'pending') and s.missed_sweeps < 2)"
            ).format(**words)
