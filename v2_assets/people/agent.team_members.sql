-- Agents as rosters show them: the same profile, nested or flat.
-- Newer than what is there wins; a status nobody knows is left to the agent's own profile to report.
with source as (
  select case when jsonb_typeof(b.payload -> 'agent') = 'object' then b.payload -> 'agent' else b.payload end as p,
    split_part(b.source_id, ':', 2) as agent_id_raw
  from batch b where b.source_id like '%:%'
)
select
  agent_id_raw,
  ops.epoch_ms(p ->> 'updatedAt') as source_updated_at,
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
where agent_id_raw <> '' and (ops.blank_null(p ->> 'agentStatus') is null or st.value is not null)
