-- One listing: at reZEN a deal with `listing: true`.
-- A seller's deal built from it is another record; both exist, so a sale is counted on the deal only.
with source as (
  select b.id as staged_id, b.payload as p, b.source_id as listing_id_raw,
    split_part(b.account_ref, '/', 2) as reader_agent
  from batch b
),
cleaned as (
  select s.*,
    ops.code(p -> 'lifecycleState') as state_raw,
    ops.code(ops.first_of(p, 'transactionStatus', 'status')) as status_raw,
    ops.code(p -> 'propertyType') as property_raw,
    ops.flag(p -> 'closed') as told_closed,
    ops.flag(p -> 'terminated') as told_terminated,
    ops.rezen_owner(p) as owner_raw,
    coalesce(ops.blank_null(p #>> '{agentsInfo,teamId}'), ops.blank_null(p ->> 'teamId')) as team_id_raw,
    coalesce(ops.blank_null(p #>> '{office,id}'), ops.blank_null(p #>> '{agentsInfo,officeId}')) as office_raw,
    ops.rezen_address_key(p -> 'address') as address_key,
    ops.first_of(p, 'listingPrice', 'price', 'salePrice') as price,
    ops.day(p ->> 'listingDate') as listing_date,
    ops.first_of(p, 'closedAt', 'rezenClosedAt', 'skySlopeActualClosingDate', 'closedDate', 'closeDate',
      'closingDateActual') #>> '{}' as closed_text,
    ops.first_day(p, 'closedAt', 'rezenClosedAt', 'skySlopeActualClosingDate', 'closedDate', 'closeDate',
      'closingDateActual') as closed_day,
    case jsonb_typeof(p -> 'participants') when 'array' then p -> 'participants' else '[]' end as participants
  from source s
),
people as (
  -- Per listing: what its people lack in V2.
  select c.staged_id,
    ops.unknown_words('participants.participantRole', 'participant_role',
      array_agg(r.role_raw) filter (where m.value is null)) as words,
    min(r.agent_raw) filter (where a.id is null) as unknown_agent,
    min(r.address_key) filter (where ad.id is null) as unknown_address
  from cleaned c
  cross join lateral jsonb_array_elements(c.participants) x
  cross join lateral (select
    ops.code(ops.first_of(x, 'participantRole', 'role')) as role_raw,
    ops.rezen_agent(x) as agent_raw,
    ops.rezen_address_key(x -> 'address') as address_key) r
  left join ops.code_map m on m.code_set = 'participant_role' and m.source = 'rezen' and m.raw = r.role_raw
  left join v2.agent a on a.agent_id_raw = r.agent_raw
  left join v2.address ad on ad.address_key = r.address_key
  group by c.staged_id
),
keyed as (
  select c.*, st.value as lifecycle_state, ss.value as state_status, sx.value as told_status,
    pt.value as property_type, o.id as owner_id, o.user_id, t.id as team_id, t.team_owner_agent_id,
    f.id as office_id, ad.id as address_id,
    ops.unknown_word('lifecycleState', 'lifecycle_state', c.state_raw, st.value)
      || ops.unknown_word('lifecycleState', 'lifecycle_status', c.state_raw, ss.value)
      || ops.unknown_word('status', 'transaction_status', c.status_raw, sx.value)
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
  left join ops.code_map ss on ss.code_set = 'lifecycle_status' and ss.source = 'rezen' and ss.raw = c.state_raw
  left join ops.code_map sx on sx.code_set = 'transaction_status' and sx.source = 'rezen' and sx.raw = c.status_raw
  left join ops.code_map pt on pt.code_set = 'property_type' and pt.source = 'rezen' and pt.raw = c.property_raw
  left join v2.agent o on o.agent_id_raw = c.owner_raw
  left join v2.team t on t.team_id_raw = c.team_id_raw
  left join v2.office f on f.source = 'rezen' and f.office_id_raw = c.office_raw
  left join v2.address ad on ad.address_key = c.address_key
),
judged as (
  select k.*,
    case
      when told_status = 'Canceled' then told_status
      when told_terminated then 'Terminated'
      when told_closed then 'Closed'
      else coalesce(told_status, state_status, case when told_closed is not null then 'Active' end)
    end as status,
    case
      when not ops.flag(p -> 'listing') then 'filtered'
      when waits_for is not null then 'deferred'
    end as fate
  from keyed k
)
select
  staged_id,
  fate,
  case fate when 'filtered' then 'is_a_transaction' when 'deferred' then 'missing_parent' end as reason,
  null::jsonb as detail,
  words,
  waits_for,
  case when reader_agent = owner_raw then 1 else 0 end as rank,
  'rezen' as source,
  listing_id_raw,
  status,
  ops.money(price) as list_price,
  coalesce(ops.money_currency(price), upper(ops.blank_null(p ->> 'currency'))) as currency,
  listing_date,
  ops.day(ops.first_of(p, 'expirationDate', 'listingExpirationDate') #>> '{}') as expiration_date,
  -- Of a listing that is still open this would change every day without any news.
  case when status = 'Closed' then closed_day - listing_date end as days_on_market,
  property_type,
  ops.first_of(p, 'mlsNum', 'mlsNumber') #>> '{}' as mls_number,
  'api' as data_source,
  coalesce(told_closed, status = 'Closed') as closed,
  coalesce(told_terminated, status in ('Terminated', 'Canceled')) as terminated,
  ops.instant(closed_text) as closed_at,
  ops.instant(p ->> 'terminatedAt') as terminated_at,
  address_id,
  owner_id as transaction_owner_agent_id,
  team_id,
  team_owner_agent_id,
  office_id,
  user_id
from judged
