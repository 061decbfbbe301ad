-- One deal, as V1 knew it.
-- A deal that a living source tells under the same id is left to that source; the others are told by V1 alone.
with source as (
  select b.id as staged_id, b.payload as p, b.account_ref,
    ops.v1_raw(b.payload, 'transaction_id_raw') as transaction_id_raw,
    ops.v1_code(b.payload ->> 'status') as status_raw,
    ops.v1_code(b.payload ->> 'transaction_type') as type_raw,
    ops.v1_code(b.payload ->> 'stage') as stage_raw,
    ops.v1_code(b.payload ->> 'lifecycle_state') as state_raw,
    ops.v1_code(b.payload ->> 'property_type') as property_raw,
    ops.v1_code(b.payload ->> 'representation') as side_raw,
    ops.address_key(b.payload ->> 'address') as address_key
  from batch b
),
coded as (
  select s.*, ss.value as told_status, ty.value as transaction_type, sg.value as stage, ls.value as lifecycle_state,
    pt.value as property_type, rp.value as representation,
    ops.unknown_word('status', 'transaction_status', s.status_raw, ss.value)
      || ops.unknown_word('transaction_type', 'transaction_type', s.type_raw, ty.value)
      || ops.unknown_word('stage', 'lifecycle_stage', s.stage_raw, sg.value)
      || ops.unknown_word('lifecycle_state', 'lifecycle_state', s.state_raw, ls.value)
      || ops.unknown_word('property_type', 'property_type', s.property_raw, pt.value)
      || ops.unknown_word('representation', 'representation', s.side_raw, rp.value) as words
  from source s
  left join ops.code_map ss on ss.code_set = 'transaction_status' and ss.source = 'v1' and ss.raw = s.status_raw
  left join ops.code_map ty on ty.code_set = 'transaction_type' and ty.source = 'v1' and ty.raw = s.type_raw
  left join ops.code_map sg on sg.code_set = 'lifecycle_stage' and sg.source = 'v1' and sg.raw = s.stage_raw
  left join ops.code_map ls on ls.code_set = 'lifecycle_state' and ls.source = 'v1' and ls.raw = s.state_raw
  left join ops.code_map pt on pt.code_set = 'property_type' and pt.source = 'v1' and pt.raw = s.property_raw
  left join ops.code_map rp on rp.code_set = 'representation' and rp.source = 'v1' and rp.raw = s.side_raw
),
keyed as (
  select c.*, a.id as owner, t.id as team, t.team_owner_agent_id as team_owner, ad.id as address_id, i.user_id as mine,
    l.id as listing,
    exists (
      select from v2.transaction live where live.source in ('rezen', 'skyslope')
        and live.transaction_id_raw = c.transaction_id_raw and live.deleted_at is null) as living,
    case
      when a.id is null and p ->> 'transaction_owner_agent_id' is not null then 'agent/'
        || coalesce(ops.v1_raw(sa.payload, 'agent_id_raw'), 'v1:' || (p ->> 'transaction_owner_agent_id'))
      when t.id is null and p ->> 'team_id' is not null
        then 'team/' || coalesce(ops.v1_raw(st.payload, 'team_id_raw'), 'v1:' || (p ->> 'team_id'))
      when i.user_id is null and p ->> 'user_id' is not null then 'user_identity/v1/user/' || (p ->> 'user_id')
      when l.id is null and p ->> 'listing_id' is not null
        then 'listing/v1/' || coalesce(ops.v1_raw(sl.payload, 'listing_id_raw'), 'v1:' || (p ->> 'listing_id'))
      when ad.id is null and c.address_key is not null then 'address/' || c.address_key
    end as waits_for
  from coded c
  left join staging.stage_xano_agent sa on sa.account_ref = c.account_ref
    and sa.source_id = p ->> 'transaction_owner_agent_id'
  left join v2.agent a on a.agent_id_raw = ops.v1_raw(sa.payload, 'agent_id_raw')
  left join staging.stage_xano_team st on st.account_ref = c.account_ref and st.source_id = p ->> 'team_id'
  left join v2.team t on t.team_id_raw = ops.v1_raw(st.payload, 'team_id_raw')
  left join v2.user_identity i on i.platform = 'v1' and i.kind = 'user' and i.external_id = p ->> 'user_id'
    and i.deleted_at is null
  left join staging.stage_xano_listing sl on sl.account_ref = c.account_ref and sl.source_id = p ->> 'listing_id'
  left join lateral (
    select x.id from v2.listing x
    where x.source in ('rezen', 'skyslope', 'v1') and x.listing_id_raw = ops.v1_raw(sl.payload, 'listing_id_raw')
    order by x.source limit 1
  ) l on true
  left join v2.address ad on ad.address_key = c.address_key
),
judged as (
  select k.*,
    coalesce(told_status, case when (p ->> 'terminated')::boolean then 'Terminated'
      when (p ->> 'closed')::boolean then 'Closed' when p ? 'closed' then 'Pending' end) as status,
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
  'v1' as source,
  transaction_id_raw,
  p ->> 'rezen_code' as rezen_code,
  status,
  transaction_type,
  stage,
  lifecycle_state,
  coalesce((p ->> 'closed')::boolean, status = 'Closed') as closed,
  coalesce((p ->> 'terminated')::boolean, status in ('Terminated', 'Canceled')) as terminated,
  property_type,
  representation,
  p ->> 'mls_num' as mls_num,
  (p ->> 'contract_date')::date as contract_date,
  (p ->> 'firm_date')::date as firm_date,
  (p ->> 'listing_date')::date as listing_date,
  (p ->> 'closing_date')::date as closing_date,
  (p ->> 'sale_price')::numeric as sale_price,
  (p ->> 'list_price')::numeric as list_price,
  (p ->> 'gross_commission')::numeric as gross_commission,
  (p ->> 'net_payout')::numeric as net_payout,
  upper(p ->> 'currency') as currency,
  p ->> 'transaction_owner_name' as transaction_owner_name,
  lower(p ->> 'transaction_owner_email') as transaction_owner_email,
  p ->> 'team_id_raw' as team_id_raw,
  'v1' as sync_source,
  listing as listing_id,
  address_id,
  mine as user_id,
  team as team_id,
  owner as transaction_owner_agent_id,
  team_owner as team_owner_agent_id
from judged
