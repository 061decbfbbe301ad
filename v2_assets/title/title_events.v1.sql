-- One event of one title order, as V1 kept it.
-- Of an order that a living source tells, the events are that source's too.
with source as (
  select b.id as staged_id, b.payload as p, b.account_ref,
    coalesce(b.payload ->> 'event_key', 'v1/' || (b.payload ->> 'id')) as event_key
  from batch b
),
keyed as (
  select s.*, o.id as title_order, coalesce(o.source <> 'v1', false) as living,
    case when o.id is null
      then 'title_orders/' || coalesce(ops.v1_raw(so.payload, 'order_id_raw'), 'v1:' || (p ->> 'order_id')) end
      as waits_for
  from source s
  left join staging.stage_xano_title_orders so on so.account_ref = s.account_ref and so.source_id = p ->> 'order_id'
  left join v2.title_orders o on o.order_id_raw = ops.v1_raw(so.payload, 'order_id_raw')
),
judged as (
  select k.*,
    case when p ->> 'order_id' is null then 'rejected' when living then 'filtered'
         when waits_for is not null then 'deferred' end as fate
  from keyed k
)
select
  staged_id,
  fate,
  case fate when 'filtered' then 'living_source' when 'rejected' then 'missing_key' when 'deferred' then 'missing_parent'
  end as reason,
  case when fate = 'rejected' then jsonb_build_object('field', 'order_id') end as detail,
  waits_for,
  title_order as order_id,
  event_key,
  coalesce(p ->> 'kind', 'activity') as kind,
  p ->> 'name' as name,
  (p ->> 'complete')::boolean as complete,
  ops.epoch_ms((p ->> 'occurred_at')::bigint) as occurred_at,
  p ->> 'description' as description
from judged
