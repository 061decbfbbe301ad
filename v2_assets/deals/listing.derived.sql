-- Listings whose user or team became known (or changed) after they were merged.
-- Only rows that differ come out; everything else stays as it is.
with mine as (
  select l.id, s.payload from staging.stage_rezen_listings s
  join v2.listing l on l.id = s.v2_id
  where s.user_id = %(user_id)s and s.status = 'processed'
  union all
  select l.id, s.payload from v2.agent a
  join v2.listing l on l.transaction_owner_agent_id = a.id
  join staging.stage_rezen_listings s on s.v2_id = l.id and s.status = 'processed'
  where a.user_id = %(user_id)s and s.user_id <> %(user_id)s
),
fresh as (
  select l.source, l.listing_id_raw, l.user_id, l.team_id, l.team_owner_agent_id,
    a.user_id as new_user_id, tm.id as new_team_id, tm.team_owner_agent_id as new_owner,
    l.source_updated_at, l.deleted_at
  from mine m
  join v2.listing l on l.id = m.id and l.source = 'rezen'
  left join v2.agent a on a.id = l.transaction_owner_agent_id
  left join v2.team tm on tm.team_id_raw
    = coalesce(ops.blank_null(m.payload #>> '{agentsInfo,teamId}'), ops.blank_null(m.payload ->> 'teamId'))
)
select distinct on (source, listing_id_raw)
  source, listing_id_raw, new_user_id as user_id, new_team_id as team_id, new_owner as team_owner_agent_id,
  source_updated_at, deleted_at
from fresh
where (user_id, team_id, team_owner_agent_id) is distinct from (new_user_id, new_team_id, new_owner)
order by source, listing_id_raw
