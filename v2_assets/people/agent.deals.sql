-- Stubs of agents whom deals name and nobody has loaded: owners and people with an agent's id.
-- What the deal says of the person belongs to the deal; the profile comes when the agent is read.
with source as (
  select ops.rezen_owner(b.payload) as agent_id_raw from batch b
  union
  select ops.rezen_agent(x) from batch b
  cross join lateral jsonb_array_elements(
    case jsonb_typeof(b.payload -> 'participants') when 'array' then b.payload -> 'participants' else '[]' end) x
)
select agent_id_raw, true as is_stub from source where agent_id_raw is not null
