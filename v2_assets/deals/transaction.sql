-- One deal, from reZEN's detail of it.
-- Two users may see one deal: the owner's copy counts, because what it pays depends on who asks.
with source as (
  select b.id as staged_id, b.payload as p, b.source_id as transaction_id_raw, split_part(b.account_ref, '/', 2) as reader_agent
  from batch b
),
cleaned as (
  select s.*,
    case jsonb_typeof(p -> 'lifecycleState') when 'object' then p #>> '{lifecycleState,state}'
      else p ->> 'lifecycleState' end as state_raw,
    coalesce(ops.blank_null(p ->> 'transactionStatus'), ops.blank_null(p ->> 'status')) as status_raw,
    coalesce(ops.blank_null(p ->> 'transactionType'), ops.blank_null(p ->> 'dealType')) as type_raw,
    ops.blank_null(p ->> 'representationType') as side_raw,
    ops.blank_null(p ->> 'propertyType') as property_raw,
    coalesce(ops.blank_null(p #>> '{agentsInfo,ownerAgent,0,yentaId}'), ops.blank_null(p #>> '{agentsInfo,ownerAgent,0,id}'),
      ops.blank_null(p #>> '{transactionOwner,yentaId}')) as owner_raw,
    ops.blank_null(p #>> '{agentsInfo,teamId}') as team_id_raw,
    coalesce(ops.blank_null(p #>> '{office,id}'), ops.blank_null(p #>> '{agentsInfo,officeId}')) as office_raw,
    coalesce(
      ops.address_key(p #>> '{address,street}',
        coalesce(ops.blank_null(p #>> '{address,unit}'), p #>> '{address,street2}'), p #>> '{address,city}',
        p #>> '{address,state}',
        coalesce(ops.blank_null(p #>> '{address,zip}'), ops.blank_null(p #>> '{address,zipCode}'),
          p #>> '{address,zipcode}')),
      ops.address_key(p #>> '{address,oneLine}')) as address_key,
    case jsonb_typeof(p -> 'participants') when 'array' then p -> 'participants' else '[]' end as participants
  from source s
),
people as (
  -- Per deal: the first participant whose role nobody knows, and the first agent who is not in V2.
  select c.staged_id,
    min(r.raw) filter (where r.raw is not null and m.value is null) as unknown_role,
    min(r.agent) filter (where r.agent is not null and a.id is null) as unknown_agent
  from cleaned c
  cross join lateral jsonb_array_elements(c.participants) x
  cross join lateral (select
    coalesce(ops.blank_null(x ->> 'participantRole'), ops.blank_null(x ->> 'role')) as raw,
    coalesce(ops.blank_null(x ->> 'yentaUserId'), ops.blank_null(x ->> 'yentaId'), ops.blank_null(x ->> 'agentId'))
      as agent) r
  left join ops.code_map m on m.code_set = 'participant_role' and m.source = 'rezen' and m.raw = r.raw
  left join v2.agent a on a.agent_id_raw = r.agent
  group by c.staged_id
),
keyed as (
  select c.*, st.value as lifecycle_state, sg.value as stage, coalesce(sx.value, ss.value) as mapped_status,
    ty.value as transaction_type, rp.value as representation, pt.value as property_type,
    o.id as owner_id, o.user_id, t.id as team_id, t.team_owner_agent_id, f.id as office_id, ad.id as address_id,
    case
      when c.state_raw is not null and st.value is null then array['lifecycleState', 'lifecycle_state', c.state_raw]
      when c.state_raw is null and c.status_raw is not null and sx.value is null
        then array['status', 'transaction_status', c.status_raw]
      when c.type_raw is not null and ty.value is null then array['transactionType', 'transaction_type', c.type_raw]
      when c.side_raw is not null and rp.value is null then array['representationType', 'representation', c.side_raw]
      when c.property_raw is not null and pt.value is null then array['propertyType', 'property_type', c.property_raw]
      when pp.unknown_role is not null then array['participants.participantRole', 'participant_role', pp.unknown_role]
    end as unknown,
    case
      when c.owner_raw is not null and o.id is null then 'agent/' || c.owner_raw
      when pp.unknown_agent is not null then 'agent/' || pp.unknown_agent
      when c.address_key is not null and ad.id is null then 'address/' || c.address_key
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
  left join v2.agent o on o.agent_id_raw = c.owner_raw
  left join v2.team t on t.team_id_raw = c.team_id_raw
  left join v2.office f on f.source = 'rezen' and f.office_id_raw = c.office_raw
  left join v2.address ad on ad.address_key = c.address_key
)
select
  staged_id,
  case when unknown is not null then 'rejected' when waits_for is not null then 'deferred' end as fate,
  case when unknown is not null then 'unknown_code' when waits_for is not null then 'missing_parent' end as reason,
  case when unknown is not null
       then jsonb_build_object('field', unknown[1], 'code_set', unknown[2], 'value', unknown[3]) end as detail,
  waits_for,
  case when reader_agent = owner_raw then 1 else 0 end as rank,
  'rezen' as source,
  transaction_id_raw,
  ops.blank_null(p ->> 'code') as rezen_code,
  case when ops.flag(p -> 'terminated') then 'Terminated' when ops.flag(p -> 'closed') then 'Closed' else mapped_status
  end as status,
  transaction_type,
  stage,
  lifecycle_state,
  ops.flag(p -> 'closed') as closed,
  ops.flag(p -> 'terminated') as terminated,
  property_type,
  representation,
  coalesce(ops.blank_null(p ->> 'mlsNum'), ops.blank_null(p ->> 'mlsNumber')) as mls_num,
  ops.day(ops.blank_null(p ->> 'contractAcceptanceDate')) as contract_date,
  ops.day(ops.blank_null(p ->> 'firmDate')) as firm_date,
  ops.day(ops.blank_null(p ->> 'listingDate')) as listing_date,
  -- The real close wins over the estimate; each has several names, and the first that is there counts.
  ops.day(coalesce(ops.blank_null(p ->> 'closedAt'), ops.blank_null(p ->> 'rezenClosedAt'),
    ops.blank_null(p ->> 'skySlopeActualClosingDate'), ops.blank_null(p ->> 'closedDate'),
    ops.blank_null(p ->> 'closeDate'), ops.blank_null(p ->> 'closingDateActual'),
    ops.blank_null(p ->> 'closingDateEstimated'), ops.blank_null(p ->> 'skySlopeEscrowClosingDate'),
    ops.blank_null(p ->> 'closingDate'), ops.blank_null(p ->> 'estimatedClosingDate'))) as closing_date,
  coalesce(ops.money(p -> 'price'), ops.money(p -> 'salePrice'), ops.money(p -> 'purchasePrice')) as sale_price,
  ops.money(p -> 'listingPrice') as list_price,
  ops.money(p -> 'grossCommission') as gross_commission,
  ops.money(p -> 'myNetPayout') as net_payout,
  coalesce(ops.money_currency(p -> 'price'), ops.money_currency(p -> 'grossCommission'),
    ops.blank_null(p ->> 'currency')) as currency,
  (select a.display_name from v2.agent a where a.id = owner_id) as transaction_owner_name,
  (select a.email from v2.agent a where a.id = owner_id) as transaction_owner_email,
  team_id_raw,
  'rezen' as sync_source,
  (select l.id from v2.listing l
   where l.source = 'rezen' and l.listing_id_raw = p ->> 'builtFromTransactionId') as listing_id,
  address_id,
  user_id,
  team_id,
  owner_id as transaction_owner_agent_id,
  team_owner_agent_id,
  office_id
from keyed
