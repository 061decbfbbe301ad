-- Stubs of agents whom deals name and nobody has loaded: the id and nothing else.
-- What the deal says of the person belongs to the deal; the profile comes when the agent is read.
with source as (
  select coalesce(x ->> 'yentaUserId', x ->> 'yentaId', x ->> 'agentId') as agent_id_raw
  from batch b,
    jsonb_array_elements(
      case jsonb_typeof(b.payload -> 'participants') when 'array' then b.payload -> 'participants' else '[]' end) x
  union
  select coalesce(x ->> 'yentaId', x ->> 'id') from batch b,
    jsonb_array_elements(case jsonb_typeof(b.payload #> '{agentsInfo,ownerAgent}')
      when 'array' then b.payload #> '{agentsInfo,ownerAgent}' else '[]' end) x
)
select agent_id_raw, true as is_stub from source where ops.blank_null(agent_id_raw) is not null
