-- What only V1 knows of agents, and the team where no API tells one.
-- Only rows that differ come out. Which user an agent of V1 is, is said by the user, who is merged later.
with told as (
  select distinct on (agent_id_raw) ops.v1_raw(s.payload, 'agent_id_raw') as agent_id_raw, s.payload as p, s.account_ref
  from staging.stage_xano_agent s
  where s.user_id = %(user_id)s and s.status in ('processed', 'duplicate', 'filtered')
  order by agent_id_raw, s.source_updated_at desc nulls last, s.id
),
fresh as (
  select a.agent_id_raw, a.source, a.source_updated_at, a.deleted_at, a.is_stub, a.city, a.is_demo,
    a.commission_plan_id, a.team_id,
    coalesce(p ->> 'city', a.city) as new_city,
    coalesce((p ->> 'is_demo')::boolean, a.is_demo) as new_demo,
    coalesce(p ->> 'commission_plan_id', a.commission_plan_id) as new_plan,
    coalesce(a.team_id, case when a.source = 'v1' then t.id end) as new_team
  from told
  join v2.agent a on a.agent_id_raw = told.agent_id_raw
  left join staging.stage_xano_team st on st.account_ref = told.account_ref and st.source_id = p ->> 'team_id'
  left join v2.team t on t.team_id_raw = ops.v1_raw(st.payload, 'team_id_raw')
)
select agent_id_raw, new_city as city, new_demo as is_demo, new_plan as commission_plan_id, new_team as team_id,
  is_stub, source, source_updated_at, deleted_at
from fresh
where (city, is_demo, commission_plan_id, team_id) is distinct from (new_city, new_demo, new_plan, new_team)
