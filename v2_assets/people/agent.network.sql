-- Stubs of both ends of a down-line, with the name that the down-line gives its member.
-- Without a stamp, so that a profile that was ever read stays as it is.
with source as (
  select ops.blank_null(payload ->> 'id') as agent_id_raw, payload as p from batch
  union all
  select ops.blank_null(payload #>> '{_v2,agent_id}'), '{}' from batch
)
select
  agent_id_raw,
  ops.blank_null(p ->> 'firstName') as first_name,
  ops.blank_null(p ->> 'lastName') as last_name,
  ops.blank_null(concat_ws(' ', ops.blank_null(p ->> 'firstName'), ops.blank_null(p ->> 'lastName'))) as display_name,
  ops.blank_null(p ->> 'emailAddress') as email,
  ops.blank_null(p ->> 'phoneNumber') as phone,
  true as is_stub
from source
where agent_id_raw is not null
