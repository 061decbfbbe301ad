-- One agent, from the agent's own profile.
-- '' and null both mean absent; an unknown status is rejected, not guessed.
with source as (
  select b.id as staged_id, b.payload as p, b.source_id as agent_id_raw from batch b
)
select
  staged_id,
  case when ops.blank_null(p ->> 'agentStatus') is not null and st.value is null then 'rejected' end as fate,
  case when ops.blank_null(p ->> 'agentStatus') is not null and st.value is null then 'unknown_code' end as reason,
  case when ops.blank_null(p ->> 'agentStatus') is not null and st.value is null
       then jsonb_build_object('field', 'agentStatus', 'code_set', 'agent_status', 'value', p ->> 'agentStatus')
  end as detail,
  null::text as waits_for,
  agent_id_raw,
  ops.blank_null(coalesce(p ->> 'fullName', p ->> 'displayName')) as display_name,
  ops.blank_null(p ->> 'firstName') as first_name,
  ops.blank_null(p ->> 'lastName') as last_name,
  lower(ops.blank_null(p ->> 'emailAddress')) as email,
  nullif(regexp_replace(p ->> 'phoneNumber', '[^0-9]', '', 'g'), '') as phone,
  st.value as agent_status,
  ops.blank_null(p ->> 'type') as type,
  ops.blank_null(p ->> 'title') as title,
  ops.blank_null(p ->> 'avatar') as avatar,
  ops.day(p ->> 'birthDate') as birthdate,
  ops.day(p ->> 'joinDate') as join_date,
  ops.day(p ->> 'anniversaryDate') as anniversary_date,
  true as real_agent,
  false as is_stub,
  (select b.id from v2.brokerage b where b.name = 'The Real Brokerage') as brokerage_id,
  (select min(c.user_id) from v2.credentials c
   where c.platform = 'rezen' and c.external_user_id = agent_id_raw and c.verified and c.deleted_at is null) as user_id
from source s
left join ops.code_map st on st.code_set = 'agent_status' and st.source = 'rezen' and st.raw = p ->> 'agentStatus'
