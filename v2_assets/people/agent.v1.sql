-- One agent, as V1 knew the agent.
-- Only where reZEN has told nothing: a profile with a stamp of its own is left alone, a stub is filled.
with source as (
  select b.id as staged_id, b.payload as p, ops.v1_raw(b.payload, 'agent_id_raw') as agent_id_raw,
    ops.v1_code(b.payload ->> 'agent_status') as status_raw
  from batch b
),
keyed as (
  select s.*, m.value as agent_status, br.id as brokerage_id, live.source as held_by,
    live.source <> 'v1' and (not live.is_stub or live.source_updated_at is not null) as living
  from source s
  left join ops.code_map m on m.code_set = 'agent_status' and m.source = 'v1' and m.raw = s.status_raw
  left join v2.brokerage br on br.name = 'The Real Brokerage'
  left join v2.agent live on live.agent_id_raw = s.agent_id_raw
)
select
  staged_id,
  case when living then 'filtered' end as fate,
  case when living then 'living_source' end as reason,
  null::jsonb as detail,
  ops.unknown_word('agent_status', 'agent_status', status_raw, agent_status) as words,
  null::text as waits_for,
  null::timestamptz as source_updated_at,
  -- A stub stays reZEN's, so that it does not matter which of the two came first.
  coalesce(held_by, 'v1') as source,
  agent_id_raw,
  coalesce(p ->> 'display_name', nullif(concat_ws(' ', p ->> 'first_name', p ->> 'last_name'), '')) as display_name,
  p ->> 'first_name' as first_name,
  p ->> 'last_name' as last_name,
  lower(p ->> 'email') as email,
  p ->> 'phone' as phone,
  agent_status,
  p ->> 'type' as type,
  p ->> 'title' as title,
  p ->> 'avatar' as avatar,
  (p ->> 'birthdate')::date as birthdate,
  (p ->> 'join_date')::date as join_date,
  (p ->> 'anniversary_date')::date as anniversary_date,
  (p ->> 'real_agent')::boolean as real_agent,
  false as is_stub,
  coalesce(p ->> 'state', p ->> 'state_abbreviation') as state,
  ops.state_abbreviation(coalesce(p ->> 'state_abbreviation', p ->> 'state')) as state_abbreviation,
  brokerage_id
from keyed
