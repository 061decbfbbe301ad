"""The backups that were made, so that somebody is told when none was."""

from __future__ import annotations

from v2_assets.schema.vocabulary import number, ops_table, surrogate, ts, words

backup = ops_table(
    "backup",
    surrogate("Order of the backups."),
    ts("made_at", "When it was whole.", required=True, default="now()"),
    words("folder", "Name of its folder.", required=True),
    number("bytes", "Size of its files.", required=True),
    grain="one backup that was written whole, wherever it is now",
    key=("id",),
)
