-- One agent on one team.
-- The roster row's own id is not the agent's; who is on the roster is a member, whatever the agent's status.
with source as (
  select b.id as staged_id, b.payload as p, b.payload #>> '{_v2,team_id}' as team_raw,
    substr(b.source_id, length(b.payload #>> '{_v2,team_id}') + 2) as agent_id_raw,
    case when jsonb_typeof(b.payload -> 'agent') = 'object' then b.payload -> 'agent' else b.payload end as person,
    case jsonb_typeof(b.payload -> 'roles') when 'array' then b.payload -> 'roles' else '[]' end as roles
  from batch b
),
seats as (
  -- The highest of several roles is the seat.
  select s.staged_id,
    (array_agg(m.value order by array_position(array['LEADER', 'ADMIN', 'MEMBER'], m.raw)) filter (
      where m.raw is not null))[1] as seat,
    bool_or(m.raw = 'LEADER') as is_leader,
    ops.unknown_words('roles', 'team_role', array_agg(r.raw) filter (where m.raw is null)) as words
  from source s
  cross join lateral (select ops.code(x) as raw from jsonb_array_elements(s.roles) x) r
  left join ops.code_map m on m.code_set = 'team_role' and m.source = 'rezen' and m.raw = r.raw
  group by s.staged_id
),
keyed as (
  select s.*, se.seat, coalesce(se.is_leader, false) as is_leader, t.id as team_id, a.id as agent_id, st.value as status,
    coalesce(se.words, '[]')
      || ops.unknown_word('agentStatus', 'agent_status', ops.code(s.person -> 'agentStatus'), st.value) as words,
    case when t.id is null then 'team/' || s.team_raw when a.id is null then 'agent/' || s.agent_id_raw end as waits_for
  from source s
  left join seats se on se.staged_id = s.staged_id
  left join v2.team t on t.team_id_raw = s.team_raw
  left join v2.agent a on a.agent_id_raw = s.agent_id_raw
  left join ops.code_map st on st.code_set = 'agent_status' and st.source = 'rezen'
    and st.raw = ops.code(s.person -> 'agentStatus')
)
select
  staged_id,
  case when waits_for is not null then 'deferred' end as fate,
  case when waits_for is not null then 'missing_parent' end as reason,
  null::jsonb as detail,
  words,
  waits_for,
  team_id,
  agent_id,
  agent_id_raw,
  true as active,
  status,
  is_leader,
  seat,
  ops.blank_null(person ->> 'avatar') as avatar
from keyed
