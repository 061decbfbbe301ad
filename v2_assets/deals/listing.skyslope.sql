-- One listing file of SkySlope.
-- 0 is no price: a price that is known stays. An agent who is not known yet is left open and found later.
with source as (
  select b.id as staged_id, b.payload as p, b.source_id as listing_id_raw, b.user_id as reader,
    upper(btrim(ops.blank_null(b.payload ->> 'status'))) as status_raw,
    lower(ops.blank_null(b.payload ->> 'officeGuid')) as office_raw,
    lower(ops.blank_null(b.payload ->> 'agentGuid')) as agent_guid,
    ops.skyslope_address_key(b.payload -> 'property') as address_key,
    ops.state_abbreviation(b.payload #>> '{property,state}') as state
  from batch b
),
keyed as (
  select s.*, m.value as status, f.id as office_id, ad.id as address_id, sp.country, i.user_id, a.id as owner_id,
    a.team_id, t.team_owner_agent_id, old.list_price as known_price,
    case when ad.id is null and s.address_key is not null then 'address/' || s.address_key
      when f.id is null and s.office_raw is not null then 'office/skyslope/' || s.office_raw end as waits_for
  from source s
  left join ops.code_map m on m.code_set = 'transaction_status' and m.source = 'skyslope' and m.raw = s.status_raw
  left join v2.office f on f.source = 'skyslope' and f.office_id_raw = s.office_raw
  left join v2.address ad on ad.address_key = s.address_key
  left join v2.state_province sp on sp.abbreviation = s.state
  left join v2.user_identity i on i.platform = 'skyslope' and i.kind = 'user' and i.external_id = s.agent_guid
    and i.deleted_at is null
  left join v2.agent a on a.id = ops.skyslope_agent(s.agent_guid)
  left join v2.team t on t.id = a.team_id
  left join v2.listing old on old.source = 'skyslope' and old.listing_id_raw = s.listing_id_raw
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
  ops.unknown_word('status', 'transaction_status', status_raw, status) as words,
  waits_for,
  case when user_id = reader then 1 else 0 end as rank,
  listing_id_raw,
  status,
  coalesce(ops.skyslope_money(p -> 'listingPrice'), known_price) as list_price,
  case country when 'US' then 'USD' when 'CA' then 'CAD' end as currency,
  ops.skyslope_day(p ->> 'listingDate') as listing_date,
  ops.skyslope_day(p ->> 'expirationDate') as expiration_date,
  ops.blank_null(p ->> 'mlsNumber') as mls_number,
  'api' as data_source,
  status = 'Closed' as closed,
  status in ('Terminated', 'Canceled') as terminated,
  address_id,
  owner_id as transaction_owner_agent_id,
  team_id,
  team_owner_agent_id,
  office_id,
  user_id
from judged
