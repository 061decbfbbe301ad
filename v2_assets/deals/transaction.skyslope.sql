-- One sale file of SkySlope.
-- 0 is no price: a price that is known stays. An agent or a listing that is not known yet is left open and found later.
with source as (
  select b.id as staged_id, b.payload as p, b.source_id as transaction_id_raw, b.user_id as reader,
    upper(btrim(ops.blank_null(b.payload ->> 'status'))) as status_raw,
    upper(btrim(ops.first_of(b.payload, 'dealType', 'saleTypeId') #>> '{}')) as kind_raw,
    lower(ops.blank_null(b.payload ->> 'officeGuid')) as office_raw,
    lower(ops.blank_null(b.payload ->> 'agentGuid')) as agent_guid,
    lower(ops.blank_null(b.payload ->> 'listingGuid')) as listing_raw,
    ops.skyslope_address_key(b.payload -> 'property') as address_key,
    ops.state_abbreviation(b.payload #>> '{property,state}') as state,
    ops.skyslope_money(b.payload #> '{commission,saleCommissionAmount}') as sale_commission,
    ops.skyslope_money(b.payload #> '{commission,listingCommissionAmount}') as listing_commission
  from batch b
),
keyed as (
  select s.*,
    -- Of an archived file, or one in a state that nobody knows, the day of the close tells whether it is closed.
    coalesce(m.value, case when s.status_raw is null then null
      when ops.skyslope_day(s.p ->> 'actualClosingDate') is null then 'Pending' else 'Closed' end) as status,
    ty.value as transaction_type, rp.value as representation, f.id as office_id,
    ad.id as address_id, sp.country, i.user_id, a.id as owner_id, a.team_id, t.team_owner_agent_id, t.team_id_raw,
    l.id as listing_id, old.sale_price as known_price, old.list_price as known_list_price,
    old.gross_commission as known_commission, su.payload as person,
    -- Some kinds tell no side: Lease, Referral. A kind that is known at all is no unknown word.
    ops.unknown_word('status', 'transaction_status', nullif(s.status_raw, 'ARCHIVED'), m.value)
      || ops.unknown_word('dealType', 'representation', s.kind_raw, coalesce(rp.value, ty.value))
      || ops.unknown_word('dealType', 'transaction_type', s.kind_raw, coalesce(ty.value, rp.value)) as words,
    case when ad.id is null and s.address_key is not null then 'address/' || s.address_key
      when f.id is null and s.office_raw is not null then 'office/skyslope/' || s.office_raw end as waits_for
  from source s
  left join ops.code_map m on m.code_set = 'transaction_status' and m.source = 'skyslope' and m.raw = s.status_raw
  left join ops.code_map ty on ty.code_set = 'transaction_type' and ty.source = 'skyslope' and ty.raw = s.kind_raw
  left join ops.code_map rp on rp.code_set = 'representation' and rp.source = 'skyslope' and rp.raw = s.kind_raw
  left join v2.office f on f.source = 'skyslope' and f.office_id_raw = s.office_raw
  left join v2.address ad on ad.address_key = s.address_key
  left join v2.state_province sp on sp.abbreviation = s.state
  left join v2.user_identity i on i.platform = 'skyslope' and i.kind = 'user' and i.external_id = s.agent_guid
    and i.deleted_at is null
  left join v2.agent a on a.id = ops.skyslope_agent(s.agent_guid)
  left join v2.team t on t.id = a.team_id
  left join v2.listing l on l.source = 'skyslope' and l.listing_id_raw = s.listing_raw
  left join v2.transaction old on old.source = 'skyslope' and old.transaction_id_raw = s.transaction_id_raw
  left join lateral (
    select x.payload from staging.stage_skyslope_users x
    where x.source_id = s.agent_guid and x.status <> 'rejected' order by x.id limit 1) su on true
),
judged as (
  select k.*, case when waits_for is not null then 'deferred' end as fate
  from keyed k
)
select
  staged_id,
  fate,
  case fate when 'deferred' then 'missing_parent' end as reason,
  null::jsonb as detail,
  words,
  waits_for,
  case when user_id = reader then 1 else 0 end as rank,
  transaction_id_raw,
  status,
  transaction_type,
  null::text as lifecycle_state,
  status = 'Closed' as closed,
  status in ('Terminated', 'Canceled') as terminated,
  representation,
  ops.blank_null(p ->> 'mlsNumber') as mls_num,
  coalesce(ops.skyslope_day(p ->> 'contractAcceptanceDate'), ops.skyslope_day(p ->> 'contractAcceptedDate'))
    as contract_date,
  -- The real close wins over the estimate.
  coalesce(ops.skyslope_day(p ->> 'actualClosingDate'), ops.skyslope_day(p ->> 'escrowClosingDate')) as closing_date,
  coalesce(ops.skyslope_money(p -> 'salePrice'), known_price) as sale_price,
  coalesce(ops.skyslope_money(p -> 'listingPrice'), known_list_price) as list_price,
  -- What the office as a whole gets is left out: the server computes it, and it changes without a change.
  coalesce(case representation
    when 'Seller' then coalesce(listing_commission, sale_commission)
    when 'Landlord' then coalesce(listing_commission, sale_commission)
    when 'Dual' then coalesce(sale_commission + listing_commission, sale_commission, listing_commission)
    else coalesce(sale_commission, listing_commission) end, known_commission) as gross_commission,
  case country when 'US' then 'USD' when 'CA' then 'CAD' end as currency,
  nullif(concat_ws(' ', ops.blank_null(person ->> 'firstName'), ops.blank_null(person ->> 'lastName')), '')
    as transaction_owner_name,
  lower(btrim(ops.blank_null(person ->> 'email'))) as transaction_owner_email,
  team_id_raw,
  'api' as sync_source,
  listing_id,
  address_id,
  user_id,
  team_id,
  owner_id as transaction_owner_agent_id,
  team_owner_agent_id,
  office_id
from judged
