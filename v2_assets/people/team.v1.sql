-- One team, as V1 knew it.
-- A team that a living source tells is left to that source.
with source as (
  select b.id as staged_id, b.payload as p, b.account_ref, ops.v1_raw(b.payload, 'team_id_raw') as team_id_raw,
    ops.v1_code(b.payload ->> 'team_type') as type_raw, ops.v1_code(b.payload ->> 'status') as status_raw
  from batch b
),
keyed as (
  select s.*, ty.value as team_type, st.value as status, a.id as owner,
    exists (select from v2.team live where live.team_id_raw = s.team_id_raw and live.source <> 'v1') as living,
    ops.unknown_word('team_type', 'team_type', s.type_raw, ty.value)
      || ops.unknown_word('status', 'team_status', s.status_raw, st.value) as words,
    case when a.id is null and p ->> 'team_owner_agent_id' is not null
      then 'agent/' || coalesce(ops.v1_raw(sa.payload, 'agent_id_raw'), 'v1:' || (p ->> 'team_owner_agent_id')) end
      as waits_for
  from source s
  left join ops.code_map ty on ty.code_set = 'team_type' and ty.source = 'v1' and ty.raw = s.type_raw
  left join ops.code_map st on st.code_set = 'team_status' and st.source = 'v1' and st.raw = s.status_raw
  left join staging.stage_xano_agent sa on sa.account_ref = s.account_ref
    and sa.source_id = p ->> 'team_owner_agent_id'
  left join v2.agent a on a.agent_id_raw = ops.v1_raw(sa.payload, 'agent_id_raw')
),
judged as (
  select k.*,
    case when living then 'filtered' when waits_for is not null then 'deferred' end as fate
  from keyed k
)
select
  staged_id,
  fate,
  case fate when 'filtered' then 'living_source' when 'deferred' then 'missing_parent' end as reason,
  null::jsonb as detail,
  words,
  waits_for,
  null::timestamptz as source_updated_at,
  team_id_raw,
  p ->> 'team_name' as team_name,
  team_type,
  (p ->> 'active')::boolean as active,
  status,
  (p ->> 'max_teammates')::bigint as max_teammates,
  (p ->> 'max_leaders')::bigint as max_leaders,
  p ->> 'config_id' as config_id,
  p ->> 'commission_plan_id' as commission_plan_id,
  p ->> 'logo' as logo,
  owner as team_owner_agent_id
from judged
