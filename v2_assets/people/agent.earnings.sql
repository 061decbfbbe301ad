-- Stubs of who earns and of who paid for it, where the source says who that was.
-- The id and nothing else; the profile comes when the agent is read.
with source as (
  select ops.blank_null(payload #>> '{_v2,agent_id}') as agent_id_raw from batch
  union
  select ops.rezen_contributor(payload) from batch
)
select agent_id_raw, true as is_stub from source where agent_id_raw is not null
