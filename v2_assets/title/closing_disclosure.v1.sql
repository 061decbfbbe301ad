-- One line of one closing disclosure.
-- No public API tells these rows, so they come from V1 until one does; an order is found through V1's own row of it.
with source as (
  select b.id as staged_id, b.payload as p, b.account_ref from batch b
),
keyed as (
  select s.*, coalesce(ops.v1_raw(so.payload, 'order_id_raw'), p ->> 'order_id_raw',
    'v1:' || (p ->> 'order_id')) as order_raw,
    t.id as deal, ops.v1_raw(st.payload, 'transaction_id_raw') as deal_raw
  from source s
  left join staging.stage_xano_title_orders so on so.account_ref = s.account_ref and so.source_id = p ->> 'order_id'
  left join staging.stage_xano_transaction st on st.account_ref = s.account_ref and st.source_id = p ->> 'transaction_id'
  left join lateral (
    select x.id from v2.transaction x
    where x.source in ('rezen', 'skyslope', 'v1')
      and x.transaction_id_raw = ops.v1_raw(st.payload, 'transaction_id_raw')
    order by x.source limit 1
  ) t on true
),
judged as (
  select k.*, o.id as title_order,
    case
      when o.id is null and k.order_raw is not null then 'title_orders/' || k.order_raw
      when k.deal is null and p ->> 'transaction_id' is not null
        then 'transaction/v1/' || coalesce(k.deal_raw, 'v1:' || (p ->> 'transaction_id'))
    end as waiting
  from keyed k
  left join v2.title_orders o on o.order_id_raw = k.order_raw
)
select
  staged_id,
  case when waiting is not null then 'deferred' end as fate,
  case when waiting is not null then 'missing_parent' end as reason,
  null::jsonb as detail,
  waiting as waits_for,
  'v1' as source,
  coalesce(p ->> 'closing_disclosure_id_raw', p ->> 'id') as closing_disclosure_id_raw,
  order_raw as order_id_raw,
  p ->> 'section' as section,
  p ->> 'line_number' as line_number,
  p ->> 'description' as description,
  p ->> 'paid_by' as paid_by,
  p ->> 'payee' as payee,
  (p ->> 'amount')::numeric as amount,
  (p ->> 'buyer_amount')::numeric as buyer_amount,
  (p ->> 'seller_amount')::numeric as seller_amount,
  upper(p ->> 'currency') as currency,
  (p ->> 'closing_date')::date as closing_date,
  p as details,
  title_order as order_id,
  deal as transaction_id
from judged
