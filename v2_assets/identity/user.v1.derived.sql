-- Users whose agent or team, as V1 has it, became known after their account was merged.
-- Only what is still missing is filled in; everything else stays as it is.
with missing as (
  select u.email, u.source, u.source_updated_at, u.deleted_at, u.agent_id, u.team_id, s.account_ref, s.payload as p
  from staging.stage_xano_user s
  join v2."user" u on u.id = s.v2_id and (u.agent_id is null or u.team_id is null)
  where s.user_id = %(user_id)s and s.status = 'processed'
),
found as (
  select m.email, m.source, m.source_updated_at, m.deleted_at, m.agent_id, m.team_id,
    min(a.id) as told_agent, min(t.id) as told_team
  from missing m
  left join staging.stage_xano_agent sa on sa.account_ref = m.account_ref and sa.source_id = m.p ->> 'agent_id'
  left join v2.agent a on a.agent_id_raw = ops.v1_raw(sa.payload, 'agent_id_raw')
  left join staging.stage_xano_team st on st.account_ref = m.account_ref and st.source_id = m.p ->> 'team_id'
  left join v2.team t on t.team_id_raw = ops.v1_raw(st.payload, 'team_id_raw')
  group by 1, 2, 3, 4, 5, 6
)
select email, source, coalesce(agent_id, told_agent) as agent_id, coalesce(team_id, told_team) as team_id,
  source_updated_at, deleted_at
from found
where (agent_id is null and told_agent is not null) or (team_id is null and told_team is not null)
