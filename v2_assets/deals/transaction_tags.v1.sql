-- One tag on one deal: no API tells them.
-- A tag goes to the deal as a living source tells it, and to V1's own where none does.
with source as (
  select b.id as staged_id, b.payload as p, b.account_ref from batch b
),
keyed as (
  select s.*, t.id as deal,
    case when p ->> 'transaction_id' is null then 'transaction_id' when p ->> 'tag' is null then 'tag' end as missing,
    case when t.id is null
      then 'transaction/v1/' || coalesce(ops.v1_raw(st.payload, 'transaction_id_raw'), 'v1:' || (p ->> 'transaction_id'))
    end as waits_for
  from source s
  left join staging.stage_xano_transaction st on st.account_ref = s.account_ref and st.source_id = p ->> 'transaction_id'
  left join lateral (
    select x.id from v2.transaction x
    where x.source in ('rezen', 'skyslope', 'v1')
      and x.transaction_id_raw = ops.v1_raw(st.payload, 'transaction_id_raw')
    order by x.source limit 1
  ) t on true
)
select
  staged_id,
  case when missing is not null then 'rejected' when waits_for is not null then 'deferred' end as fate,
  case when missing is not null then 'missing_key' when waits_for is not null then 'missing_parent' end as reason,
  case when missing is not null then jsonb_build_object('field', missing) end as detail,
  waits_for,
  deal as transaction_id,
  btrim(p ->> 'tag') as tag
from keyed
