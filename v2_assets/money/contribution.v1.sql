-- One rev-share contribution, as V1 kept it.
-- A contribution that a living source tells is left to that source; its deal is found if somebody sees it here.
with source as (
  select b.id as staged_id, b.payload as p, b.account_ref,
    ops.v1_raw(b.payload, 'contribution_id_raw') as contribution_id_raw
  from batch b
),
keyed as (
  select s.*, i.user_id as mine, a.id as agent, c.id as contributing, r.id as receiving, t.id as deal,
    st.payload ->> 'transaction_id_raw' as deal_raw,
    exists (
      select from v2.contribution live
      where live.contribution_id_raw = s.contribution_id_raw and live.source <> 'v1') as living,
    case
      when i.user_id is null and p ->> 'user_id' is not null then 'user_identity/v1/user/' || (p ->> 'user_id')
      when a.id is null and p ->> 'agent_id' is not null
        then 'agent/' || coalesce(ops.v1_raw(sa.payload, 'agent_id_raw'), 'v1:' || (p ->> 'agent_id'))
      when c.id is null and p ->> 'contributing_agent_id' is not null
        then 'agent/' || coalesce(ops.v1_raw(sc.payload, 'agent_id_raw'), 'v1:' || (p ->> 'contributing_agent_id'))
      when r.id is null and p ->> 'receiving_agent_id' is not null
        then 'agent/' || coalesce(ops.v1_raw(sr.payload, 'agent_id_raw'), 'v1:' || (p ->> 'receiving_agent_id'))
      when t.id is null and p ->> 'transaction_id' is not null
        then 'transaction/v1/' || coalesce(ops.v1_raw(st.payload, 'transaction_id_raw'), 'v1:' || (p ->> 'transaction_id'))
    end as waits_for
  from source s
  left join v2.user_identity i on i.platform = 'v1' and i.kind = 'user' and i.external_id = p ->> 'user_id'
    and i.deleted_at is null
  left join staging.stage_xano_agent sa on sa.account_ref = s.account_ref and sa.source_id = p ->> 'agent_id'
  left join v2.agent a on a.agent_id_raw = ops.v1_raw(sa.payload, 'agent_id_raw')
  left join staging.stage_xano_agent sc on sc.account_ref = s.account_ref and sc.source_id = p ->> 'contributing_agent_id'
  left join v2.agent c on c.agent_id_raw = ops.v1_raw(sc.payload, 'agent_id_raw')
  left join staging.stage_xano_agent sr on sr.account_ref = s.account_ref and sr.source_id = p ->> 'receiving_agent_id'
  left join v2.agent r on r.agent_id_raw = ops.v1_raw(sr.payload, 'agent_id_raw')
  left join staging.stage_xano_transaction st on st.account_ref = s.account_ref and st.source_id = p ->> 'transaction_id'
  left join lateral (
    select x.id from v2.transaction x
    where x.source in ('rezen', 'skyslope', 'v1')
      and x.transaction_id_raw = ops.v1_raw(st.payload, 'transaction_id_raw')
    order by x.source limit 1
  ) t on true
),
judged as (
  select k.*, case when living then 'filtered' when waits_for is not null then 'deferred' end as fate from keyed k
)
select
  staged_id,
  fate,
  case fate when 'filtered' then 'living_source' when 'deferred' then 'missing_parent' end as reason,
  null::jsonb as detail,
  waits_for,
  null::timestamptz as source_updated_at,
  contribution_id_raw,
  (p ->> 'amount')::numeric as amount,
  upper(p ->> 'currency') as currency,
  p ->> 'contribution_type' as contribution_type,
  p ->> 'status' as status,
  (p ->> 'contribution_date')::date as contribution_date,
  (p ->> 'tier')::smallint as tier,
  (p ->> 'missed')::boolean as missed,
  p ->> 'notes' as notes,
  deal_raw as transaction_id_raw,
  mine as user_id,
  agent as agent_id,
  deal as transaction_id,
  contributing as contributing_agent_id,
  receiving as receiving_agent_id
from judged
