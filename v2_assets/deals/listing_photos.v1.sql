-- One picture of one listing, as V1 kept its address.
-- A picture goes to the listing as a living source tells it, and to V1's own where none does.
with source as (
  select b.id as staged_id, b.payload as p, b.account_ref from batch b
),
keyed as (
  select s.*, l.id as place,
    case when p ->> 'listing_id' is null then 'listing_id' when p ->> 'url' is null then 'url' end as missing,
    case when l.id is null
      then 'listing/v1/' || coalesce(ops.v1_raw(sl.payload, 'listing_id_raw'), 'v1:' || (p ->> 'listing_id'))
    end as waits_for
  from source s
  left join staging.stage_xano_listing sl on sl.account_ref = s.account_ref and sl.source_id = p ->> 'listing_id'
  left join lateral (
    select x.id from v2.listing x
    where x.source in ('rezen', 'skyslope', 'v1') and x.listing_id_raw = ops.v1_raw(sl.payload, 'listing_id_raw')
    order by x.source limit 1
  ) l on true
)
select
  staged_id,
  case when missing is not null then 'rejected' when waits_for is not null then 'deferred' end as fate,
  case when missing is not null then 'missing_key' when waits_for is not null then 'missing_parent' end as reason,
  case when missing is not null then jsonb_build_object('field', missing) end as detail,
  waits_for,
  place as listing_id,
  p ->> 'url' as url,
  p ->> 'caption' as caption,
  (p ->> 'display_order')::bigint as display_order
from keyed
