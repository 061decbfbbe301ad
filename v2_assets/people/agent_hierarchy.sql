-- One sponsorship of an agent.
-- Two sponsors may share a level; which end of the tree level 1 is, the source does not say, so it is kept as told.
with source as (
  select b.id as staged_id, b.payload as p, b.payload #>> '{_v2,agent_id}' as agent_raw,
    ops.blank_null(b.payload ->> 'id') as sponsor_raw
  from batch b
),
keyed as (
  select s.*, a.id as agent_id, sp.id as sponsor_agent_id,
    case
      when s.agent_raw = s.sponsor_raw then 'filtered'
      when a.id is null or sp.id is null then 'deferred'
    end as fate
  from source s
  left join v2.agent a on a.agent_id_raw = s.agent_raw
  left join v2.agent sp on sp.agent_id_raw = s.sponsor_raw
)
select
  staged_id,
  fate,
  case fate when 'filtered' then 'own_sponsor' when 'deferred' then 'missing_parent' end as reason,
  null::jsonb as detail,
  case when fate = 'deferred' then 'agent/' || case when agent_id is null then agent_raw else sponsor_raw end end
    as waits_for,
  agent_id,
  sponsor_agent_id,
  ops.whole(p -> 'level') as level
from keyed
