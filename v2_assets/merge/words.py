"""Words of the sources that no code table has: which there are, and teaching one.

Here: the list, and what is merged again once a word is known. Not here: the codes of a release (`schema.codes`), nor
who looks them up (the tables' selects, by `ops.unknown_word`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from resources.errors import ConfigError
from v2_assets.merge.statements import SOURCE_OF, UNKNOWN_WORD, staging


@dataclass(frozen=True, slots=True)
class UnknownWord:
    """One word of one code set in one field of one staging table: how many living records have it, one of them, and
    how many it holds back, since it is a part of what they are known by."""

    source: str
    code_set: str
    word: str
    table: str
    field: str
    records: int
    held: int
    example: str


_TOLD = sql.SQL(
    "select {source}::text as source, {name}::text as table, s.id, s.source_id, s.user_id, s.fetched_at,"
    "  w ->> 'code_set' as code_set, w ->> 'found' as word, w ->> 'field' as field, false as held"
    " from {stage} s cross join lateral jsonb_array_elements(s.warnings) w"
    " where s.warnings @> {noted} and s.missed_sweeps < 2 and w ->> 'code' = {code}"
    " union all select {source}, {name}, s.id, s.source_id, s.user_id, s.fetched_at,"
    "  s.status_detail ->> 'code_set', s.status_detail ->> 'value', s.status_detail ->> 'field', true from {stage} s"
    " where s.status = 'rejected' and s.status_reason = 'unknown_code' and s.missed_sweeps < 2"
)
#: One row for each unknown word of each living record; `held` where the word holds its record back.
TOLD = sql.SQL(" union all ").join(
    _TOLD.format(
        source=sql.Literal(source),
        name=sql.Literal(table),
        stage=staging(table),
        noted=sql.Literal(Jsonb([{"code": UNKNOWN_WORD}])),
        code=sql.Literal(UNKNOWN_WORD),
    )
    for table, source in SOURCE_OF.items()
)
#: Rows that carry the word are merged again from what is stored; one that its source no longer has stays as it is.
_AGAIN = sql.SQL(
    "with those as (select id from {stage} where missed_sweeps < 2 and ("
    "  (status = 'rejected' and status_reason = 'unknown_code'"
    "   and status_detail ->> 'code_set' = %(code_set)s and status_detail ->> 'value' = %(word)s)"
    "  or (status in ('processed', 'duplicate', 'deferred') and warnings @> %(warning)s)) order by id for update)"
    " update {stage} t set status = 'pending', status_reason = null, status_detail = null, waits_for = null,"
    " duplicate_of = null, next_attempt_at = null, attempts = 0 from those where t.id = those.id"
)


def unknown_words(connection: psycopg.Connection[Any]) -> list[UnknownWord]:
    """What nobody has taught yet, most frequent first."""
    query = sql.SQL(
        'select source, code_set, word, "table", field, count(distinct id) as records,'
        " count(distinct id) filter (where held) as held, min(source_id) as example from ({}) told"
        ' group by source, code_set, word, "table", field order by records desc, 1, 2, 3, 4, 5'
    )
    with connection.cursor(row_factory=class_row(UnknownWord)) as cur:
        cur.execute(query.format(TOLD))
        return cur.fetchall()


def teach(
    connection: psycopg.Connection[Any], source: str, code_set: str, word: str, value: str, *, new: bool = False
) -> dict[str, int]:
    """From now on the word means `value`. Returns how many records of each staging table are pending for that.

    Nothing is fetched. Raises ConfigError for a set that the source does not have, for a value that no word of the set
    has (unless `new`), and for a word that means something else already.
    """
    known = dict(
        connection.execute(
            "select raw, value from ops.code_map where source = %s and code_set = %s", [source, code_set]
        ).fetchall()
    )
    if not known:
        sets = connection.execute("select distinct source || ' ' || code_set from ops.code_map order by 1").fetchall()
        raise ConfigError(
            f"{source} has no code set {code_set!r}", hint=f"there are: {', '.join(name for (name,) in sets)}"
        )
    if known.get(word, value) != value:
        raise ConfigError(
            f"{word!r} means {known[word]!r} already",
            hint="what a release says is changed in v2_assets/schema/codes.py",
        )
    if value not in known.values() and not new:
        raise ConfigError(
            f"no word of {code_set} means {value!r}",
            hint=f"one of: {', '.join(sorted(set(known.values())))}; or --new for a value that V2 does not have yet",
        )
    connection.execute(
        "insert into ops.code_map (code_set, source, raw, value) values (%s, %s, %s, %s) on conflict do nothing",
        [code_set, source, word, value],
    )
    warning = Jsonb([{"code": UNKNOWN_WORD, "code_set": code_set, "found": word}])
    parameters = {"code_set": code_set, "word": word, "warning": warning}
    again: dict[str, int] = {}
    for table in (name for name, whose in SOURCE_OF.items() if whose == source):
        if count := connection.execute(_AGAIN.format(stage=staging(table)), parameters).rowcount:
            again[table] = count
    return again
