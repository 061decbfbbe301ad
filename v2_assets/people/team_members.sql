-- One agent on one team.
-- The roster row's own id is not the agent's; one agent may sit on several teams.
with source as (
  select b.id as staged_id, b.payload as p, b.payload #>> '{_v2,team_id}' as team_raw,
    split_part(b.source_id, ':', 2) as agent_id_raw,
    case when jsonb_typeof(b.payload -> 'agent') = 'object' then b.payload -> 'agent' else b.payload end as person,
    case jsonb_typeof(b.payload -> 'roles') when 'array' then b.payload -> 'roles' else '[]' end as roles
  from batch b
),
keyed as (
  select s.*, t.id as team_id, a.id as agent_id, st.value as status, seat.value as seat,
    (select r from jsonb_array_elements_text(s.roles) r
     where not exists (select from ops.code_map m
                       where m.code_set = 'team_role' and m.source = 'rezen' and m.raw = r) limit 1) as unknown_role
  from source s
  left join v2.team t on t.team_id_raw = s.team_raw
  left join v2.agent a on a.agent_id_raw = s.agent_id_raw
  left join ops.code_map st on st.code_set = 'agent_status' and st.source = 'rezen'
    and st.raw = s.person ->> 'agentStatus'
  left join ops.code_map seat on seat.code_set = 'team_role' and seat.source = 'rezen' and seat.raw = s.roles ->> 0
)
select
  staged_id,
  case when unknown_role is not null then 'rejected'
       when team_id is null or agent_id is null then 'deferred' end as fate,
  case when unknown_role is not null then 'unknown_code'
       when team_id is null or agent_id is null then 'missing_parent' end as reason,
  case when unknown_role is not null
       then jsonb_build_object('field', 'roles', 'code_set', 'team_role', 'value', unknown_role) end as detail,
  case when team_id is null then 'team/' || team_raw when agent_id is null then 'agent/' || agent_id_raw end as waits_for,
  team_id,
  agent_id,
  agent_id_raw,
  status = 'Active' as active,
  status,
  roles ? 'LEADER' as is_leader,
  seat,
  ops.blank_null(person ->> 'avatar') as avatar
from keyed
