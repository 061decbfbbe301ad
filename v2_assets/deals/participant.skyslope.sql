-- One person on one sale or listing file of SkySlope: clients, contacts and agents.
-- A person without a guid is known by the place in the file; one guid in two roles is two rows, told apart by the role.
with source as (
  select m.v2_id, b.payload as file, rp.value as side
  from merged m
  join batch b on b.id = m.staged_id
  left join ops.code_map rp on rp.code_set = 'representation' and rp.source = 'skyslope'
    and rp.raw = upper(btrim(ops.first_of(b.payload, 'dealType', 'saleTypeId') #>> '{}'))
),
contacts as (
  select s.v2_id, s.file, k.role, k.name, x.p, x.n
  from source s
  cross join (values
    ('buyers', 'Buyer'), ('sellers', 'Seller'), ('titleContact', 'Title'), ('escrowContact', 'Escrow'),
    ('lenderContact', 'Lender'), ('otherSideAgentContact', 'Other Agent'), ('homeWarrantyContact', 'Home Warranty'),
    ('miscContact', 'Other'), ('attorneyContact', 'Attorney'), ('transactionCoordinators', 'Transaction Coordinator')
  ) k(name, role)
  cross join lateral jsonb_array_elements(case jsonb_typeof(s.file -> k.name)
    when 'array' then s.file -> k.name when 'object' then jsonb_build_array(s.file -> k.name) else '[]' end)
    with ordinality x(p, n)
  where jsonb_typeof(x.p) = 'object' and coalesce(ops.first_of(x.p, 'contactGuid', 'firstName', 'lastName', 'email',
    'company'), 'null') <> 'null'
),
guids as (
  select v2_id, file, side, lower(ops.blank_null(file ->> 'agentGuid')) as guid from source
  union
  select v2_id, file, side, lower(ops.blank_null(file ->> 'coListingAgentGuid')) from source
  union
  select s.v2_id, s.file, s.side, lower(ops.blank_null(g)) from source s
  cross join lateral jsonb_array_elements_text(
    case jsonb_typeof(s.file -> 'coAgentGuids') when 'array' then s.file -> 'coAgentGuids' else '[]' end) g
  union
  select s.v2_id, s.file, s.side, lower(ops.blank_null(c ->> 'agentGuid')) from source s
  cross join lateral jsonb_array_elements(
    case jsonb_typeof(s.file -> 'commissionSplits') when 'array' then s.file -> 'commissionSplits' else '[]' end) c
),
splits as (
  select s.v2_id, lower(c ->> 'agentGuid') as guid, sum(ops.skyslope_money(c -> 'amount')) as amount,
    sum(nullif(ops.percent(c -> 'percentage'), 0)) / 100 as share
  from source s
  cross join lateral jsonb_array_elements(
    case jsonb_typeof(s.file -> 'commissionSplits') when 'array' then s.file -> 'commissionSplits' else '[]' end) c
  group by 1, 2
),
people as (
  select v2_id, coalesce(lower(ops.blank_null(p ->> 'contactGuid')), name || '-' || n) as id_raw, role, n,
    null::text as guid, ops.blank_null(p ->> 'firstName') as first_name, ops.blank_null(p ->> 'lastName') as last_name,
    lower(btrim(ops.blank_null(p ->> 'email'))) as email,
    ops.first_of(p, 'phoneNumber', 'phone', 'alternatePhone') #>> '{}' as phone,
    ops.blank_null(p ->> 'company') as company, null::numeric as share, null::numeric as amount,
    ops.state_abbreviation(file #>> '{property,state}') as state
  from contacts
  union all
  select g.v2_id, 'agent:' || g.guid,
    case g.side when 'Buyer' then 'Buyers Agent' when 'Tenant' then 'Tenant Agent' else 'Sellers Agent' end, 1, g.guid,
    ops.blank_null(u.payload ->> 'firstName'), ops.blank_null(u.payload ->> 'lastName'),
    lower(btrim(ops.blank_null(u.payload ->> 'email'))), ops.blank_null(u.payload ->> 'phone'), null, c.share, c.amount,
    ops.state_abbreviation(g.file #>> '{property,state}')
  from guids g
  left join lateral (select x.payload from staging.stage_skyslope_users x
    where x.source_id = g.guid and x.status <> 'rejected' order by x.id limit 1) u on true
  left join splits c on c.v2_id = g.v2_id and c.guid = g.guid
  where g.guid is not null
),
named as (
  select p.*,
    case when min(role) over same <> max(role) over same then id_raw || ':' || role else id_raw end
      as participant_id_raw
  from people p
  window same as (partition by v2_id, id_raw)
),
single as (
  select distinct on (v2_id, participant_id_raw) * from named order by v2_id, participant_id_raw, n
)
select
  participant_id_raw,
  case when %(parent)s = 'transaction_id' then s.v2_id end as transaction_id,
  case when %(parent)s = 'listing_id' then s.v2_id end as listing_id,
  s.role,
  s.first_name,
  s.last_name,
  s.email,
  s.phone,
  s.company,
  a.id is not null as is_real_agent,
  s.guid is null as external,
  s.share as commission_split,
  s.amount as gross_commission,
  case when s.amount is not null then case sp.country when 'US' then 'USD' when 'CA' then 'CAD' end end as currency,
  a.agent_id_raw,
  %(parent)s = 'transaction_id' as is_transaction,
  %(parent)s = 'listing_id' as is_listing,
  a.id as agent_id,
  a.user_id
from single s
left join v2.agent a on a.id = ops.skyslope_agent(s.guid)
left join v2.state_province sp on sp.abbreviation = s.state
