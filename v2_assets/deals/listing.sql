-- One listing: at reZEN a deal with `listing: true`.
-- A seller's deal built from it is another record; both exist, so a sale is counted on the deal only.
with source as (
  select b.id as staged_id, b.payload as p, b.source_id as listing_id_raw, split_part(b.account_ref, '/', 2) as reader_agent
  from batch b
),
cleaned as (
  select s.*,
    case jsonb_typeof(p -> 'lifecycleState') when 'object' then p #>> '{lifecycleState,state}'
      else p ->> 'lifecycleState' end as state_raw,
    coalesce(ops.blank_null(p ->> 'transactionStatus'), ops.blank_null(p ->> 'status')) as status_raw,
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
    pt.value as property_type,
    o.id as owner_id, o.user_id, t.id as team_id, t.team_owner_agent_id, f.id as office_id, ad.id as address_id,
    case
      when c.state_raw is not null and st.value is null then array['lifecycleState', 'lifecycle_state', c.state_raw]
      when c.state_raw is null and c.status_raw is not null and sx.value is null
        then array['status', 'transaction_status', c.status_raw]
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
  listing_id_raw,
  case when ops.flag(p -> 'terminated') then 'Terminated' when ops.flag(p -> 'closed') then 'Closed' else mapped_status
  end as status,
  coalesce(ops.money(p -> 'listingPrice'), ops.money(p -> 'price')) as list_price,
  coalesce(ops.money_currency(p -> 'listingPrice'), ops.money_currency(p -> 'price'), ops.blank_null(p ->> 'currency'))
    as currency,
  ops.day(ops.blank_null(p ->> 'listingDate')) as listing_date,
  ops.day(ops.blank_null(p ->> 'expirationDate')) as expiration_date,
  property_type,
  coalesce(ops.blank_null(p ->> 'mlsNum'), ops.blank_null(p ->> 'mlsNumber')) as mls_number,
  'rezen' as data_source,
  ops.flag(p -> 'closed') as closed,
  ops.flag(p -> 'terminated') as terminated,
  ops.instant(ops.blank_null(p ->> 'closedAt')) as closed_at,
  ops.instant(ops.blank_null(p ->> 'terminatedAt')) as terminated_at,
  address_id,
  owner_id as transaction_owner_agent_id,
  team_id,
  team_owner_agent_id,
  office_id,
  user_id
from keyed
