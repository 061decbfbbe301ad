-- One payment out of one closing.
-- No public API tells these rows, so they come from V1 until one does; an order is found through V1's own row of it.
with source as (
  select b.id as staged_id, b.payload as p, b.account_ref from batch b
),
keyed as (
  select s.*, coalesce(ops.v1_raw(so.payload, 'order_id_raw'), p ->> 'order_id_raw',
    'v1:' || (p ->> 'order_id')) as order_raw
  from source s
  left join staging.stage_xano_title_orders so on so.account_ref = s.account_ref and so.source_id = p ->> 'order_id'
),
judged as (
  select k.*, o.id as title_order,
    case
      when o.id is null and k.order_raw is not null then 'title_orders/' || k.order_raw
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
  coalesce(p ->> 'disbursement_id_raw', p ->> 'id') as disbursement_id_raw,
  order_raw as order_id_raw,
  (p ->> 'amount')::numeric as amount,
  upper(p ->> 'currency') as currency,
  p ->> 'payee' as payee,
  p ->> 'payor' as payor,
  p ->> 'payment_method' as payment_method,
  p ->> 'description' as description,
  p ->> 'status' as status,
  (p ->> 'disbursed_on')::date as disbursed_on,
  (p ->> 'cleared_on')::date as cleared_on,
  p as details,
  title_order as order_id
from judged
