-- Deals whose user, team or listing became known (or changed) after they were merged.
-- Only rows that differ come out; everything else stays as it is.
with mine as (
  select t.id, s.payload from staging.stage_rezen_transactions s
  join v2.transaction t on t.id = s.v2_id
  where s.user_id = %(user_id)s and s.status = 'processed'
  union all
  select t.id, s.payload from v2.agent a
  join v2.transaction t on t.transaction_owner_agent_id = a.id
  join staging.stage_rezen_transactions s on s.v2_id = t.id and s.status = 'processed'
  where a.user_id = %(user_id)s and s.user_id <> %(user_id)s
),
fresh as (
  select t.source, t.transaction_id_raw, t.user_id, t.team_id, t.team_owner_agent_id, t.listing_id,
    a.user_id as new_user_id, tm.id as new_team_id, tm.team_owner_agent_id as new_owner, l.id as new_listing_id,
    t.source_updated_at, t.deleted_at
  from mine m
  join v2.transaction t on t.id = m.id and t.source = 'rezen'
  left join v2.agent a on a.id = t.transaction_owner_agent_id
  left join v2.team tm on tm.team_id_raw = t.team_id_raw
  left join v2.listing l on l.source = 'rezen'
    and l.listing_id_raw = ops.blank_null(m.payload ->> 'builtFromTransactionId')
)
select distinct on (source, transaction_id_raw)
  source, transaction_id_raw, new_user_id as user_id, new_team_id as team_id, new_owner as team_owner_agent_id,
  new_listing_id as listing_id, source_updated_at, deleted_at
from fresh
where (user_id, team_id, team_owner_agent_id, listing_id)
  is distinct from (new_user_id, new_team_id, new_owner, new_listing_id)
order by source, transaction_id_raw
