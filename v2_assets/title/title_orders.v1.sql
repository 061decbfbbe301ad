-- One title order, as V1 knew it.
-- An order that a living source tells is left to that source; the others are orders that only V1 ever saw.
with source as (
  select b.id as staged_id, b.payload as p, b.account_ref, ops.v1_raw(b.payload, 'order_id_raw') as order_id_raw,
    ops.v1_code(b.payload ->> 'status') as status_raw, ops.address_key(b.payload ->> 'property_address') as address_key
  from batch b
),
keyed as (
  select s.*, m.value as status, ag.id as agency, ad.id as address_id, i.user_id as mine,
    ops.v1_raw(sg.payload, 'agency_id_raw') as agency_raw,
    exists (
      select from v2.title_orders live where live.order_id_raw = s.order_id_raw and live.source <> 'v1') as living,
    case
      when ag.id is null and p ->> 'agency_id' is not null
        then 'title_agencies/' || coalesce(ops.v1_raw(sg.payload, 'agency_id_raw'), 'v1:' || (p ->> 'agency_id'))
      when i.user_id is null and p ->> 'user_id' is not null then 'user_identity/v1/user/' || (p ->> 'user_id')
      when ad.id is null and s.address_key is not null then 'address/' || s.address_key
    end as waits_for
  from source s
  left join ops.code_map m on m.code_set = 'title_status' and m.source = 'v1' and m.raw = s.status_raw
  left join staging.stage_xano_title_agencies sg on sg.account_ref = s.account_ref and sg.source_id = p ->> 'agency_id'
  left join v2.title_agencies ag on ag.agency_id_raw = ops.v1_raw(sg.payload, 'agency_id_raw')
  left join v2.user_identity i on i.platform = 'v1' and i.kind = 'user' and i.external_id = p ->> 'user_id'
    and i.deleted_at is null
  left join v2.address ad on ad.address_key = s.address_key
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
  ops.unknown_word('status', 'title_status', status_raw, status) as words,
  waits_for,
  null::timestamptz as source_updated_at,
  order_id_raw,
  p ->> 'order_number' as order_number,
  p ->> 'external_reference_number' as external_reference_number,
  status,
  ops.epoch_ms((p ->> 'open_date')::bigint) as open_date,
  ops.epoch_ms((p ->> 'close_date')::bigint) as close_date,
  (p ->> 'cash_only')::boolean as cash_only,
  (p ->> 'loan_amount')::numeric as loan_amount,
  (p ->> 'purchase_price')::numeric as purchase_price,
  p ->> 'loan_type' as loan_type,
  p ->> 'current_stage' as current_stage,
  agency_raw as settlement_agency_id_raw,
  p ->> 'property_address' as property_address,
  p ->> 'borrower_name' as borrower_name,
  p ->> 'seller_name' as seller_name,
  'production' as environment,
  address_id,
  agency as agency_id,
  mine as user_id
from judged
