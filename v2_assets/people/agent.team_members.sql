-- Agents as rosters show them: the same profile, nested or flat, into the same columns.
-- Newer than what is there wins; a profile whose status nobody knows is left to agent.seats.sql, which makes a stub.
with source as (
  select case when jsonb_typeof(b.payload -> 'agent') = 'object' then b.payload -> 'agent' else b.payload end as p,
    substr(b.source_id, length(b.payload #>> '{_v2,team_id}') + 2) as agent_id_raw
  from batch b
),
connected as (
  select c.external_user_id, min(c.user_id) as user_id from v2.credentials c
  where c.platform = 'rezen' and c.verified and c.deleted_at is null group by c.external_user_id
),
cleaned as (
  select s.*, ops.code(p -> 'agentStatus') as status_raw,
    ops.blank_null(p #>> '{administrativeAreas,0,stateOrProvince}') as state
  from source s
)
select
  c.agent_id_raw,
  ops.instant(p ->> 'updatedAt') as source_updated_at,
  coalesce(ops.first_of(p, 'fullName', 'displayName') #>> '{}',
    nullif(concat_ws(' ', ops.blank_null(p ->> 'firstName'), ops.blank_null(p ->> 'lastName')), '')) as display_name,
  ops.blank_null(p ->> 'firstName') as first_name,
  ops.blank_null(p ->> 'lastName') as last_name,
  lower(ops.first_of(p, 'emailAddress', 'email') #>> '{}') as email,
  ops.blank_null(p ->> 'phoneNumber') as phone,
  st.value as agent_status,
  ops.blank_null(p ->> 'type') as type,
  ops.blank_null(p ->> 'title') as title,
  ops.blank_null(p ->> 'avatar') as avatar,
  ops.day(p ->> 'birthDate') as birthdate,
  ops.day(p ->> 'joinDate') as join_date,
  ops.day(p ->> 'anniversaryDate') as anniversary_date,
  true as real_agent,
  false as is_stub,
  c.state,
  ops.state_abbreviation(c.state) as state_abbreviation,
  br.id as brokerage_id,
  cn.user_id
from cleaned c
left join ops.code_map st on st.code_set = 'agent_status' and st.source = 'rezen' and st.raw = c.status_raw
left join v2.brokerage br on br.name = 'The Real Brokerage'
left join connected cn on cn.external_user_id = c.agent_id_raw
where c.agent_id_raw <> '' and (c.status_raw is null or st.value is not null)
