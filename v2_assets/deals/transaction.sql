-- One deal, from reZEN's detail of it.
-- What a deal pays depends on who asks: the owner's copy counts, and others' only where the owner is not connected.
with source as (
  select b.id as staged_id, b.payload as p, b.source_id as transaction_id_raw,
    split_part(b.account_ref, '/', 2) as reader_agent
  from batch b
),
cleaned as (
  select s.*,
    ops.code(p -> 'lifecycleState') as state_raw,
    ops.code(ops.first_of(p, 'transactionStatus', 'status')) as status_raw,
    ops.code(ops.first_of(p, 'transactionType', 'dealType')) as type_raw,
    ops.code(coalesce(ops.first_of(p, 'representationType'), p #> '{agentsInfo,representationType}')) as side_raw,
    ops.code(p -> 'propertyType') as property_raw,
    ops.flag(p -> 'closed') as told_closed,
    ops.flag(p -> 'terminated') as told_terminated,
    ops.rezen_owner(p) as owner_raw,
    coalesce(ops.blank_null(p #>> '{agentsInfo,teamId}'), ops.blank_null(p ->> 'teamId')) as team_id_raw,
    coalesce(ops.blank_null(p #>> '{office,id}'), ops.blank_null(p #>> '{agentsInfo,officeId}')) as office_raw,
    ops.blank_null(p ->> 'builtFromTransactionId') as listing_raw,
    ops.rezen_address_key(p -> 'address') as address_key,
    ops.first_of(p, 'price', 'salePrice', 'purchasePrice') as price,
    case jsonb_typeof(p -> 'transactionOwner') when 'object' then p -> 'transactionOwner' end as owner,
    case jsonb_typeof(p -> 'participants') when 'array' then p -> 'participants' else '[]' end as participants
  from source s
),
connected as (
  select distinct c.external_user_id from v2.credentials c
  where c.platform = 'rezen' and c.verified and c.deleted_at is null
),
people as (
  -- Per deal: what its people lack in V2, and the owner's name and e-mail as the deal writes them.
  select c.staged_id,
    ops.unknown_words('participants.participantRole', 'participant_role',
      array_agg(r.role_raw) filter (where m.value is null)) as words,
    min(r.agent_raw) filter (where a.id is null) as unknown_agent,
    min(r.address_key) filter (where ad.id is null) as unknown_address,
    min(r.name) filter (where r.agent_raw = c.owner_raw) as owner_name,
    min(r.email) filter (where r.agent_raw = c.owner_raw) as owner_email
  from cleaned c
  cross join lateral jsonb_array_elements(c.participants) x
  cross join lateral (select
    ops.code(ops.first_of(x, 'participantRole', 'role')) as role_raw,
    ops.rezen_agent(x) as agent_raw,
    ops.rezen_address_key(x -> 'address') as address_key,
    nullif(concat_ws(' ', ops.blank_null(x ->> 'firstName'), ops.blank_null(x ->> 'lastName')), '') as name,
    lower(ops.blank_null(x ->> 'emailAddress')) as email) r
  left join ops.code_map m on m.code_set = 'participant_role' and m.source = 'rezen' and m.raw = r.role_raw
  left join v2.agent a on a.agent_id_raw = r.agent_raw
  left join v2.address ad on ad.address_key = r.address_key
  group by c.staged_id
),
keyed as (
  select c.*, pp.owner_name, pp.owner_email, st.value as lifecycle_state, sg.value as stage, ss.value as state_status,
    sx.value as told_status, ty.value as transaction_type, rp.value as representation, pt.value as property_type,
    o.id as owner_id, o.user_id, t.id as team_id, t.team_owner_agent_id, f.id as office_id, ad.id as address_id,
    l.id as listing_id, cn.external_user_id is not null as owner_connected,
    ops.unknown_word('lifecycleState', 'lifecycle_state', c.state_raw, st.value)
      || ops.unknown_word('lifecycleState', 'lifecycle_stage', c.state_raw, sg.value)
      || ops.unknown_word('lifecycleState', 'lifecycle_status', c.state_raw, ss.value)
      || ops.unknown_word('status', 'transaction_status', c.status_raw, sx.value)
      || ops.unknown_word('transactionType', 'transaction_type', c.type_raw, ty.value)
      || ops.unknown_word('representationType', 'representation', c.side_raw, rp.value)
      || ops.unknown_word('propertyType', 'property_type', c.property_raw, pt.value)
      || coalesce(pp.words, '[]') as words,
    case
      when c.owner_raw is not null and o.id is null then 'agent/' || c.owner_raw
      when pp.unknown_agent is not null then 'agent/' || pp.unknown_agent
      when c.address_key is not null and ad.id is null then 'address/' || c.address_key
      when pp.unknown_address is not null then 'address/' || pp.unknown_address
      when c.office_raw is not null and f.id is null then 'office/rezen/' || c.office_raw
    end as waits_for
  from cleaned c
  left join people pp on pp.staged_id = c.staged_id
  left join ops.code_map st on st.code_set = 'lifecycle_state' and st.source = 'rezen' and st.raw = c.state_raw
  left join ops.code_map sg on sg.code_set = 'lifecycle_stage' and sg.source = 'rezen' and sg.raw = c.state_raw
  left join ops.code_map ss on ss.code_set = 'lifecycle_status' and ss.source = 'rezen' and ss.raw = c.state_raw
  left join ops.code_map sx on sx.code_set = 'transaction_status' and sx.source = 'rezen' and sx.raw = c.status_raw
  left join ops.code_map ty on ty.code_set = 'transaction_type' and ty.source = 'rezen' and ty.raw = c.type_raw
  left join ops.code_map rp on rp.code_set = 'representation' and rp.source = 'rezen' and rp.raw = c.side_raw
  left join ops.code_map pt on pt.code_set = 'property_type' and pt.source = 'rezen' and pt.raw = c.property_raw
  left join connected cn on cn.external_user_id = c.owner_raw
  left join v2.agent o on o.agent_id_raw = c.owner_raw
  left join v2.team t on t.team_id_raw = c.team_id_raw
  left join v2.office f on f.source = 'rezen' and f.office_id_raw = c.office_raw
  left join v2.address ad on ad.address_key = c.address_key
  left join v2.listing l on l.source = 'rezen' and l.listing_id_raw = c.listing_raw
),
judged as (
  select k.*,
    -- What the source says outright about the end of a deal counts more than the state it happens to be in.
    case
      when told_status = 'Canceled' then told_status
      when told_terminated then 'Terminated'
      when told_closed then 'Closed'
      else coalesce(told_status, state_status, case when told_closed is not null then 'Pending' end)
    end as status,
    case
      when ops.flag(p -> 'listing') then 'filtered'
      when waits_for is not null then 'deferred'
    end as fate
  from keyed k
)
select
  staged_id,
  fate,
  case fate when 'filtered' then 'is_a_listing' when 'deferred' then 'missing_parent' end as reason,
  null::jsonb as detail,
  words,
  waits_for,
  case when reader_agent = owner_raw then 1 else 0 end as rank,
  'rezen' as source,
  transaction_id_raw,
  ops.blank_null(p ->> 'code') as rezen_code,
  status,
  transaction_type,
  stage,
  lifecycle_state,
  coalesce(told_closed, status = 'Closed') as closed,
  coalesce(told_terminated, status in ('Terminated', 'Canceled')) as terminated,
  property_type,
  representation,
  ops.first_of(p, 'mlsNum', 'mlsNumber') #>> '{}' as mls_num,
  ops.day(p ->> 'contractAcceptanceDate') as contract_date,
  ops.day(p ->> 'firmDate') as firm_date,
  ops.day(p ->> 'listingDate') as listing_date,
  -- The real close wins over the estimate; each has several names, and a day that is told as a day wins over an instant.
  coalesce(
    ops.first_day(p, 'closedAt', 'rezenClosedAt', 'skySlopeActualClosingDate', 'closedDate', 'closeDate',
      'closingDateActual'),
    ops.first_day(p, 'closingDateEstimated', 'skySlopeEscrowClosingDate', 'closingDate', 'estimatedClosingDate')
  ) as closing_date,
  ops.money(price) as sale_price,
  ops.money(p -> 'listingPrice') as list_price,
  ops.money(p -> 'grossCommission') as gross_commission,
  case when reader_agent = owner_raw or not owner_connected then ops.money(p -> 'myNetPayout') end as net_payout,
  coalesce(ops.money_currency(price), ops.money_currency(p -> 'grossCommission'),
    ops.money_currency(p -> 'listingPrice'), upper(ops.blank_null(p ->> 'currency'))) as currency,
  coalesce(ops.first_of(owner, 'fullName', 'name', 'displayName') #>> '{}',
    nullif(concat_ws(' ', ops.blank_null(owner ->> 'firstName'), ops.blank_null(owner ->> 'lastName')), ''),
    owner_name) as transaction_owner_name,
  coalesce(lower(ops.first_of(owner, 'emailAddress', 'email') #>> '{}'), owner_email) as transaction_owner_email,
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
