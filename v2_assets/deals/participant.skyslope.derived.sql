-- SkySlope's agents on deals who became known in V2 (or whose user did) after they were merged.
-- Only rows that differ come out; everything else stays as it is.
with people as (
  select s.source_id as guid, ops.skyslope_agent(s.source_id) as agent_id
  from staging.stage_skyslope_users s where s.user_id = %(user_id)s and s.status <> 'rejected'
)
select p.source, p.participant_id_raw, p.transaction_id, p.listing_id, a.id as agent_id, a.agent_id_raw, a.user_id,
  a.id is not null as is_real_agent, p.source_updated_at, p.deleted_at
from people pe
join v2.participant p on p.source = 'skyslope'
  and p.participant_id_raw in ('agent:' || pe.guid, 'agent:' || pe.guid || ':Sellers Agent')
left join v2.agent a on a.id = pe.agent_id
where (p.agent_id, p.user_id) is distinct from (a.id, a.user_id)
