-- Stubs of both ends of a sponsorship.
-- The id and nothing else; the profile comes when the agent is read.
with source as (
  select ops.blank_null(payload ->> 'id') as agent_id_raw from batch
  union
  select ops.blank_null(payload #>> '{_v2,agent_id}') from batch
)
select agent_id_raw, true as is_stub from source where agent_id_raw is not null
