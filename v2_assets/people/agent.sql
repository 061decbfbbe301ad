-- One agent, from the agent's own profile.
-- '' and null both mean absent; an unknown status is not guessed.
with source as (
  select b.id as staged_id, b.payload as p, b.source_id as agent_id_raw from batch b
),
connected as (
  -- An agent whom two users claim belongs to the one who was there first.
  select c.external_user_id, min(c.user_id) as user_id from v2.credentials c
  where c.platform = 'rezen' and c.verified and c.deleted_at is null group by c.external_user_id
),
cleaned as (
  select s.*, ops.code(p -> 'agentStatus') as status_raw,
    ops.blank_null(p #>> '{administrativeAreas,0,stateOrProvince}') as state
  from source s
),
keyed as (
  select c.*, st.value as agent_status, br.id as brokerage_id, cn.user_id
  from cleaned c
  left join ops.code_map st on st.code_set = 'agent_status' and st.source = 'rezen' and st.raw = c.status_raw
  left join v2.brokerage br on br.name = 'The Real Brokerage'
  left join connected cn on cn.external_user_id = c.agent_id_raw
)
select
  staged_id,
  null::text as fate,
  null::text as reason,
  null::jsonb as detail,
  ops.unknown_word('agentStatus', 'agent_status', status_raw, agent_status) as words,
  null::text as waits_for,
  agent_id_raw,
  coalesce(ops.first_of(p, 'fullName', 'displayName') #>> '{}',
    nullif(concat_ws(' ', ops.blank_null(p ->> 'firstName'), ops.blank_null(p ->> 'lastName')), '')) as display_name,
  ops.blank_null(p ->> 'firstName') as first_name,
  ops.blank_null(p ->> 'lastName') as last_name,
  lower(ops.first_of(p, 'emailAddress', 'email') #>> '{}') as email,
  ops.blank_null(p ->> 'phoneNumber') as phone,
  agent_status,
  ops.blank_null(p ->> 'type') as type,
  ops.blank_null(p ->> 'title') as title,
  ops.blank_null(p ->> 'avatar') as avatar,
  ops.day(p ->> 'birthDate') as birthdate,
  ops.day(p ->> 'joinDate') as join_date,
  ops.day(p ->> 'anniversaryDate') as anniversary_date,
  true as real_agent,
  false as is_stub,
  state,
  ops.state_abbreviation(state) as state_abbreviation,
  brokerage_id,
  user_id
from keyed
