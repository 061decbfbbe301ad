-- One deal, as a row of an imported file tells it.
-- A row that could not be read is kept as it stood and rejected again on retry: only a corrected file helps it.
with source as (
  select b.id as staged_id, b.payload as p, b.user_id as mine,
    ops.v1_code(b.payload ->> 'status') as status_raw,
    ops.v1_code(b.payload ->> 'transaction_type') as type_raw,
    ops.v1_code(b.payload ->> 'property_type') as property_raw,
    ops.v1_code(b.payload ->> 'representation') as side_raw,
    ops.address_key(b.payload ->> 'address') as address_key
  from batch b
),
coded as (
  select s.*, ss.value as told_status, ty.value as transaction_type, pt.value as property_type,
    rp.value as representation, ad.id as address_id, ag.id as owner,
    case
      when s.status_raw is not null and ss.value is null then array['status', 'transaction_status', s.status_raw]
      when s.type_raw is not null and ty.value is null then array['transaction_type', 'transaction_type', s.type_raw]
      when s.property_raw is not null and pt.value is null then array['property_type', 'property_type', s.property_raw]
      when s.side_raw is not null and rp.value is null then array['representation', 'representation', s.side_raw]
    end as unknown
  from source s
  left join ops.code_map ss on ss.code_set = 'transaction_status' and ss.source = 'csv' and ss.raw = s.status_raw
  left join ops.code_map ty on ty.code_set = 'transaction_type' and ty.source = 'csv' and ty.raw = s.type_raw
  left join ops.code_map pt on pt.code_set = 'property_type' and pt.source = 'csv' and pt.raw = s.property_raw
  left join ops.code_map rp on rp.code_set = 'representation' and rp.source = 'csv' and rp.raw = s.side_raw
  left join v2.address ad on ad.address_key = s.address_key
  left join lateral (
    -- An e-mail that two agents share proves neither.
    select min(a.id) as id from v2.agent a where lower(a.email) = p ->> 'transaction_owner_email' having count(*) = 1
  ) ag on true
),
judged as (
  select c.*,
    coalesce(told_status, case when (p ->> 'terminated')::boolean then 'Terminated'
      when (p ->> 'closed')::boolean then 'Closed' when p ? 'closed' then 'Pending' end) as status,
    case
      when p ->> 'key' is null or unknown is not null then 'rejected'
      when address_key is not null and address_id is null then 'deferred'
    end as fate
  from coded c
)
select
  staged_id,
  fate,
  case fate when 'deferred' then 'missing_parent'
    when 'rejected' then case when p ->> 'key' is null then 'invalid_record' else 'unknown_code' end end as reason,
  case when fate = 'rejected' then case
    when p ->> 'key' is null then jsonb_build_object('field', concat('line ', p ->> '_line'))
    else jsonb_build_object('field', unknown[1], 'code_set', unknown[2], 'value', unknown[3]) end end as detail,
  case when fate = 'deferred' then 'address/' || address_key end as waits_for,
  'csv' as source,
  p ->> 'key' as transaction_id_raw,
  status,
  transaction_type,
  null::text as lifecycle_state,
  coalesce((p ->> 'closed')::boolean, status = 'Closed') as closed,
  coalesce((p ->> 'terminated')::boolean, status in ('Terminated', 'Canceled')) as terminated,
  property_type,
  representation,
  p ->> 'mls_num' as mls_num,
  (p ->> 'contract_date')::date as contract_date,
  (p ->> 'listing_date')::date as listing_date,
  (p ->> 'closing_date')::date as closing_date,
  (p ->> 'sale_price')::numeric as sale_price,
  (p ->> 'list_price')::numeric as list_price,
  (p ->> 'gross_commission')::numeric as gross_commission,
  (p ->> 'net_payout')::numeric as net_payout,
  p ->> 'currency' as currency,
  p ->> 'transaction_owner_name' as transaction_owner_name,
  p ->> 'transaction_owner_email' as transaction_owner_email,
  'csv' as sync_source,
  address_id,
  mine as user_id,
  owner as transaction_owner_agent_id
from judged
