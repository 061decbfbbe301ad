-- One sponsorship of an agent.
-- Two sponsors may share a level; which end of the tree level 1 is, the source does not say, so it is kept as told.
with source as (
  select b.id as staged_id, b.payload as p, b.payload #>> '{_v2,agent_id}' as agent_raw, b.payload ->> 'id' as sponsor_raw
  from batch b
),
keyed as (
  select s.*, a.id as agent_id, sp.id as sponsor_agent_id
  from source s
  left join v2.agent a on a.agent_id_raw = s.agent_raw
  left join v2.agent sp on sp.agent_id_raw = s.sponsor_raw
)
select
  staged_id,
  case when agent_raw = sponsor_raw then 'filtered' when agent_id is null or sponsor_agent_id is null then 'deferred'
  end as fate,
  case when agent_raw = sponsor_raw then 'own_sponsor'
       when agent_id is null or sponsor_agent_id is null then 'missing_parent' end as reason,
  null::jsonb as detail,
  case when agent_id is null then 'agent/' || agent_raw when sponsor_agent_id is null then 'agent/' || sponsor_raw
  end as waits_for,
  agent_id,
  sponsor_agent_id,
  ops.whole(p -> 'level') as level
from keyed
