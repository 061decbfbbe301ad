"""How each stream is read: by a time filter, whole, or by fan-out over keys that staging already has.

The declarations say which table a stream fills; this says what a pass over it needs to know. The order of streams is
nowhere written: it is the asset graph, and the fan-outs below are its edges.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Literal

from v2_assets.schema import metadata
from v2_assets.schema.stage import STREAMS, Stream

CursorKind = Literal["since", "whole", "fan_out"]
#: Within so long every record of a stream with `known` is fetched again, whatever its stamp says, by passes that are
#: not full: sources were seen to change a record and not its stamp, or to leave it out of what changed. The weekly full
#: pass fetches them all at once. An hourly pass over 300 deals takes four details more for it.
REREAD_WITHIN = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Reading:
    """How a stream is read.

    `kind`: "since" uses a time filter once a watermark exists; "whole" reads everything every time; "fan_out" asks per
    key, and after the first pass only for keys with recent activity. `keys_sql` selects the keys for %(account)s
    (and %(since)s, null in a full pass); a null among them says that these may not be all, so nothing is known to be
    gone. `known` tells the client what is staged, so that it fetches only changed details; a full pass fetches them
    all, and of the others each takes its share (REREAD_WITHIN). `sweeps`: whether a pass without `since` meets every
    record, so that absence means something. `after` names the entities of the same
    integration whose staged records the keys come from.

    `recent`: a "whole" stream that can nevertheless be read since an instant for less, so a first pass brings this week
    before the rest (the others of the kind can not, and the other kinds always can). `first`: whether the first run of
    a new user reads it; what is long and cannot be narrowed comes behind. `resumes`: whether a pass goes on where it
    stopped, so that history may be read in pieces.
    """

    kind: CursorKind
    keys_sql: str | None = None
    known: bool = False
    sweeps: bool = True
    after: tuple[str, ...] = ()
    recent: bool = False
    first: bool = True
    resumes: bool = True

    @property
    def narrows(self) -> bool:
        """Whether it can be read since an instant."""
        return self.recent or self.kind != "whole"


_OWN_AGENT = """
select source_id from staging.stage_rezen_agents
where account_ref = %(account)s and payload -> '_v2' ->> 'is_self' = 'true'
"""
# A profile whose `teams` is no list, or is called otherwise by now, says nothing: the known teams go on being read, and
# the null says that there may be others.
_OWN_TEAMS = """
with own as (
  select payload -> 'teams' as teams, jsonb_typeof(payload -> 'teams') is not distinct from 'array' as told
  from staging.stage_rezen_agents where account_ref = %(account)s and payload -> '_v2' ->> 'is_self' = 'true'
),
known as (
  select t.source_id from staging.stage_rezen_teams t, own
  where not own.told and t.account_ref = %(account)s and t.missed_sweeps < 2
    and not starts_with(t.source_id, 'refused:')
)
select team ->> 'teamId' as key
from own, jsonb_array_elements(case when told then teams else '[]' end) team where team ->> 'teamId' is not null
union select source_id from known union select null from known
order by 1
"""
# `fetched`: contacts that came in since then. While the texts' own history is owed, those that the contacts' history
# brings are its matter (see `sync.key_parameters`).
_ACTIVE_PEOPLE = """
select source_id from staging.stage_fub_people where account_ref = %(account)s and missing_since is null
  and (%(since)s::timestamptz is null or fetched_at >= %(fetched)s::timestamptz or source_updated_at >= %(since)s
       or ops.instant(payload ->> 'lastActivity') >= %(since)s)
  and status <> 'rejected'
order by id desc
"""

# Orders that are not done, and for the others the day of the last news of them: the client asks for what it thinks
# may still change. "Since" means for orders: only those that are open or were lately.
_RECENT_ORDERS = """
select s.source_id || '/' || case when coalesce(m.value, 'Open') in ('Open', 'Pending') then 'open' else
    greatest(substring(s.payload ->> 'close_date' from '^[0-9]{4}-[0-9]{2}-[0-9]{2}'), s.fetched_at::date::text) end
from staging.stage_title_orders s
left join ops.code_map m on m.code_set = 'title_status' and m.source = 'title'
  and m.raw = upper(replace(btrim(s.payload ->> 'status'), ' ', '_'))
where s.account_ref = %(account)s and s.payload ? '_id' and s.missed_sweeps < 2
order by s.id
"""
_ORDERING_USERS = """
select distinct (s.payload ->> 'orderer_id') || '/' || ops.state_abbreviation(p ->> 'state')
from staging.stage_title_orders s, jsonb_array_elements(
    case jsonb_typeof(s.payload -> 'properties') when 'array' then s.payload -> 'properties' else '[]' end) p
where s.account_ref = %(account)s and ops.blank_null(s.payload ->> 'orderer_id') is not null
  and ops.state_abbreviation(p ->> 'state') is not null
order by 1
"""

READINGS: dict[tuple[str, str], Reading] = {
    ("fub", "accounts"): Reading("whole"),
    ("fub", "users"): Reading("whole"),
    ("fub", "groups"): Reading("whole"),
    ("fub", "stages"): Reading("whole"),
    ("fub", "pipelines"): Reading("whole"),
    ("fub", "people"): Reading("since"),
    ("fub", "deals"): Reading("whole"),
    ("fub", "events"): Reading("since"),
    ("fub", "calls"): Reading("since"),
    ("fub", "appointments"): Reading("whole"),
    ("fub", "text_messages"): Reading("fan_out", _ACTIVE_PEOPLE, after=("people",)),
    ("rezen", "agents"): Reading("whole", sweeps=False),
    ("rezen", "teams"): Reading("whole", _OWN_TEAMS, after=("agents",)),
    ("rezen", "team_members"): Reading("whole", _OWN_TEAMS, after=("agents",)),
    ("rezen", "transactions"): Reading("whole", known=True, recent=True),
    ("rezen", "listings"): Reading("whole", known=True, recent=True),
    ("rezen", "sponsor_tree"): Reading("whole", _OWN_AGENT, after=("agents",), first=False),
    ("rezen", "cap_data"): Reading("whole", _OWN_AGENT, sweeps=False, after=("agents",), first=False),
    ("rezen", "network_downline"): Reading("whole", first=False),
    ("rezen", "network_frontline"): Reading("whole", sweeps=False, first=False),
    ("rezen", "contributions"): Reading("whole", first=False),
    ("rezen", "pending_contributions"): Reading("whole", first=False),
    ("rezen", "revshare_payments"): Reading("whole", first=False),
    ("rezen", "equity"): Reading("whole", first=False),
    ("skyslope", "offices"): Reading("whole"),
    ("skyslope", "users"): Reading("whole"),
    ("skyslope", "listings"): Reading("since", known=True),
    ("skyslope", "transactions"): Reading("since", known=True),
    ("title", "orders"): Reading("since", _RECENT_ORDERS, known=True, resumes=False),
    ("title", "agencies"): Reading("whole", _ORDERING_USERS, sweeps=False, after=("orders",)),
    ("title", "users"): Reading("whole"),
    ("csv", "import"): Reading("whole", sweeps=False),
}
#: V1 tells neither what changed nor what was deleted, so every pass meets everything. What is gone there is deleted
#: only from tables whose rows say that they are V1's: the others may have become the product's or an API's own.
READINGS |= {
    ("xano", s.entity): Reading("whole", sweeps="source" in metadata.tables[f"v2.{s.primary}"].info["natural_key"])
    for s in STREAMS
    if s.integration == "xano"
}


def turn_of(ids: Iterable[str], before: datetime | None, now: datetime | None) -> frozenset[str]:
    """Those whose turn to be fetched again comes between the last complete pass and this one.

    Each id has its own moment of the cycle, so whatever the times of the passes are, none is passed over and all have
    had their turn after REREAD_WITHIN. Nobody has one before the first complete pass.
    """
    if before is None or now is None or now <= before:
        return frozenset()
    cycle = REREAD_WITHIN.total_seconds()
    passed = (now - before).total_seconds()
    return frozenset(i for i in ids if (_moment(i) * cycle - before.timestamp()) % cycle < passed)


def _moment(source_id: str) -> float:
    """A number from 0 to 1 that is the id's own."""
    return int.from_bytes(blake2b(source_id.encode(), digest_size=6).digest()) / 2**48


def stream(integration: str, entity: str) -> Stream:
    """The declared stream. Raises KeyError for one that does not exist."""
    for candidate in STREAMS:
        if (candidate.integration, candidate.entity) == (integration, entity):
            return candidate
    raise KeyError(f"no stream {integration}/{entity}")
