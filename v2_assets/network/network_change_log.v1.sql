-- One change of one down-line that V1 saw.
-- It was seen when V1 wrote the row; what V1 saw stays beside what is seen now.
with source as (
  select b.id as staged_id, b.payload as p, b.account_ref, ops.epoch_ms((b.payload ->> 'created_at')::bigint) as seen,
    m.value as type, m.value is not null as known
  from batch b
  left join ops.code_map m on m.code_set = 'network_change' and m.source = 'v1' and m.raw = b.payload ->> 'type'
),
keyed as (
  select s.*, i.user_id as mine, a.id as agent,
    case when p ->> 'network_id_raw' is null then 'network_id_raw' when p ->> 'type' is null then 'type'
         when seen is null then 'created_at' end as missing,
    case
      when i.user_id is null and p ->> 'user_id' is not null then 'user_identity/v1/user/' || (p ->> 'user_id')
      when a.id is null and p ->> 'agent_id' is not null
        then 'agent/' || coalesce(ops.v1_raw(sa.payload, 'agent_id_raw'), 'v1:' || (p ->> 'agent_id'))
    end as waits_for
  from source s
  left join v2.user_identity i on i.platform = 'v1' and i.kind = 'user' and i.external_id = p ->> 'user_id'
    and i.deleted_at is null
  left join staging.stage_xano_agent sa on sa.account_ref = s.account_ref and sa.source_id = p ->> 'agent_id'
  left join v2.agent a on a.agent_id_raw = ops.v1_raw(sa.payload, 'agent_id_raw')
),
judged as (
  select k.*,
    case when missing is not null or not known then 'rejected' when waits_for is not null then 'deferred' end as fate
  from keyed k
)
select
  staged_id,
  fate,
  case when missing is not null then 'missing_key' when not known then 'unknown_code'
       when waits_for is not null then 'missing_parent' end as reason,
  case when missing is not null then jsonb_build_object('field', missing)
       when not known then jsonb_build_object('field', 'type', 'code_set', 'network_change', 'value', p ->> 'type') end as detail,
  waits_for,
  p ->> 'network_id_raw' as network_id_raw,
  type,
  seen as observed_at,
  p ->> 'value_old' as value_old,
  p ->> 'value_new' as value_new,
  (p ->> 'tier')::smallint as tier,
  p ->> 'downline_agent_id_raw' as downline_agent_id_raw,
  mine as user_id,
  agent as agent_id
from judged
