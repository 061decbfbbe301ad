-- One leader role held on one team, as V1 recorded it.
-- Team and agent are found through V1's own rows; a role that the roster already tells is left to the roster.
with source as (
  select b.id as staged_id, b.payload as p, b.account_ref, (b.payload ->> 'effective_start_date')::date as since
  from batch b
),
keyed as (
  select s.*, t.id as team, a.id as agent,
    case when sd.status = 'processed' then sd.v2_id end as director,
    case
      when p ->> 'team_id' is null then 'team_id' when p ->> 'agent_id' is null then 'agent_id' end as missing,
    case
      when t.id is null then 'team/' || coalesce(ops.v1_raw(st.payload, 'team_id_raw'), 'v1:' || (p ->> 'team_id'))
      when a.id is null then 'agent/' || coalesce(ops.v1_raw(sa.payload, 'agent_id_raw'), 'v1:' || (p ->> 'agent_id'))
      -- A director that is told by another source, or twice, has no row of V1's to point to.
      when p ->> 'director_id' is not null and coalesce(sd.status, '') not in ('processed', 'filtered', 'duplicate')
        then 'director/v1:' || (p ->> 'director_id')
    end as waits_for
  from source s
  left join staging.stage_xano_team st on st.account_ref = s.account_ref and st.source_id = p ->> 'team_id'
  left join v2.team t on t.team_id_raw = ops.v1_raw(st.payload, 'team_id_raw')
  left join staging.stage_xano_agent sa on sa.account_ref = s.account_ref and sa.source_id = p ->> 'agent_id'
  left join v2.agent a on a.agent_id_raw = ops.v1_raw(sa.payload, 'agent_id_raw')
  left join staging.stage_xano_director sd on sd.account_ref = s.account_ref and sd.source_id = p ->> 'director_id'
),
judged as (
  select k.*,
    case
      when missing is not null then 'rejected'
      when exists (
        select from v2.leader live where live.team_id = team and live.agent_id = agent
          and live.effective_start_date is not distinct from since and live.source <> 'v1') then 'filtered'
      when waits_for is not null then 'deferred'
    end as fate
  from keyed k
)
select
  staged_id,
  fate,
  case fate when 'rejected' then 'missing_key' when 'filtered' then 'living_source' when 'deferred' then 'missing_parent'
  end as reason,
  case when fate = 'rejected' then jsonb_build_object('field', missing) end as detail,
  waits_for,
  team as team_id,
  agent as agent_id,
  since as effective_start_date,
  (p ->> 'assigned_on')::date as assigned_on,
  (p ->> 'unassigned_on')::date as unassigned_on,
  p ->> 'status' as status,
  coalesce((p ->> 'active')::boolean, p ->> 'unassigned_on' is null) as active,
  (p ->> 'effective_end_date')::date as effective_end_date,
  (p ->> 'training')::boolean as training,
  (p ->> 'percentage')::numeric as percentage,
  director as director_id
from judged
