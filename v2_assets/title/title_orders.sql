-- One title order; the deal it belongs to is found afterwards (title_orders.derived.sql).
-- What a sandbox told never takes the place of what production told.
with source as (
  select b.id as staged_id, b.source_id as order_id_raw, b.payload as p, b.user_id as reader,
    coalesce(b.payload #>> '{_v2,environment}', 'production') as environment,
    upper(replace(btrim(ops.blank_null(b.payload ->> 'status')), ' ', '_')) as status_raw,
    case jsonb_typeof(b.payload -> 'properties') when 'array' then b.payload -> 'properties' else '[]' end
      as properties,
    case jsonb_typeof(b.payload -> 'parties') when 'object' then b.payload -> 'parties' else '{}' end as parties,
    case jsonb_typeof(b.payload -> 'progress') when 'object' then b.payload -> 'progress' else '{}' end as progress
  from batch b
),
cleaned as (
  select s.*, ops.title_address_key(properties -> 0) as address_key,
    ops.blank_null(p ->> 'settlement_agency_id') as agency_raw,
    ops.blank_null(p ->> 'orderer_id') as orderer_raw,
    properties -> 0 as home,
    case jsonb_typeof(parties -> 'borrowers') when 'array' then parties -> 'borrowers' else '[]' end as borrowers,
    case jsonb_typeof(parties -> 'sellers') when 'array' then parties -> 'sellers' else '[]' end as sellers,
    case jsonb_typeof(parties -> 'lender_contacts') when 'array' then parties -> 'lender_contacts' else '[]' end
      as lender_contacts
  from source s
),
keyed as (
  select c.*, st.value as status, ad.id as address_id, ag.id as agency_id, tu.id as orderer_id,
    coalesce(tu.user_id, c.reader) as user_id,
    case
      when live.environment = 'production' and c.environment <> 'production' then 'filtered'
      when c.address_key is not null and ad.id is null or c.agency_raw is not null and ag.id is null then 'deferred'
    end as fate,
    (select jsonb_agg(jsonb_build_object('side', side) || person order by side, n)
     from (values ('listing_agents', 'listing'), ('selling_agents', 'selling')) sides(list, side)
     cross join lateral jsonb_array_elements(
       case jsonb_typeof(c.parties -> list) when 'array' then c.parties -> list else '[]' end)
       with ordinality e(person, n)
     where jsonb_typeof(person) = 'object') as agents,
    (select string_agg(nullif(concat_ws(' ', btrim(ops.blank_null(x ->> 'first_name')),
       btrim(ops.blank_null(x ->> 'last_name'))), ''), ', ' order by n)
     from jsonb_array_elements(c.borrowers) with ordinality e(x, n)) as borrower_name,
    (select string_agg(nullif(concat_ws(' ', btrim(ops.blank_null(x ->> 'first_name')),
       btrim(ops.blank_null(x ->> 'last_name'))), ''), ', ' order by n)
     from jsonb_array_elements(c.sellers) with ordinality e(x, n)) as seller_name,
    (select jsonb_object_agg(key, value) from jsonb_each(c.progress)
     where key not in ('current_stage', 'current_stage_key')) as milestones
  from cleaned c
  left join ops.code_map st on st.code_set = 'title_status' and st.source = 'title' and st.raw = c.status_raw
  left join v2.address ad on ad.address_key = c.address_key
  left join v2.title_agencies ag on ag.agency_id_raw = c.agency_raw
  left join v2.title_users tu on tu.title_user_id_raw = c.orderer_raw
  left join v2.title_orders live on live.order_id_raw = c.order_id_raw
)
select
  staged_id,
  fate,
  case fate when 'filtered' then 'other_environment' when 'deferred' then 'missing_parent' end as reason,
  null::jsonb as detail,
  ops.unknown_word('status', 'title_status', status_raw, status) as words,
  case when address_key is not null and address_id is null then 'address/' || address_key
    else 'title_agencies/' || agency_raw end as waits_for,
  'title' as source,
  order_id_raw,
  ops.blank_null(p ->> 'order_number') as order_number,
  ops.blank_null(p ->> 'external_reference_number') as external_reference_number,
  status,
  ops.instant(p ->> 'open_date') as open_date,
  ops.blank_null(p ->> 'open_date') as open_date_raw,
  ops.instant(p ->> 'close_date') as close_date,
  ops.blank_null(p ->> 'close_date') as close_date_raw,
  ops.flag(p -> 'cash_only') as cash_only,
  ops.title_money(p -> 'loan_amount') as loan_amount,
  ops.title_money(p -> 'purchase_price') as purchase_price,
  ops.blank_null(p ->> 'loan_type') as loan_type,
  ops.blank_null(progress ->> 'current_stage') as current_stage,
  ops.blank_null(progress ->> 'current_stage_key') as current_stage_key,
  agency_raw as settlement_agency_id_raw,
  ops.blank_null(p ->> 'settlement_agency_name') as settlement_agency_name,
  orderer_raw as orderer_id_raw,
  nullif(concat_ws(', ',
    nullif(concat_ws(' ', btrim(ops.first_of(home, 'address_line_1', 'address_1') #>> '{}'),
      btrim(ops.first_of(home, 'address_line_2', 'address_2') #>> '{}')), ''),
    btrim(ops.blank_null(home ->> 'city')),
    nullif(concat_ws(' ', btrim(ops.blank_null(home ->> 'state')),
      btrim(ops.first_of(home, 'zipcode', 'zip') #>> '{}')), '')), '') as property_address,
  btrim(ops.first_of(home, 'address_line_1', 'address_1') #>> '{}') as property_street,
  btrim(ops.first_of(home, 'address_line_2', 'address_2') #>> '{}') as property_unit,
  btrim(ops.blank_null(home ->> 'city')) as property_city,
  coalesce(ops.state_abbreviation(home ->> 'state'), btrim(ops.blank_null(home ->> 'state'))) as property_state,
  btrim(ops.first_of(home, 'zipcode', 'zip') #>> '{}') as property_zip,
  btrim(ops.blank_null(home ->> 'county')) as property_county,
  jsonb_array_length(properties) as property_count,
  borrower_name,
  seller_name,
  properties,
  borrowers,
  sellers,
  coalesce(agents, '[]') as agents,
  lender_contacts,
  coalesce(milestones, '{}') as milestones,
  environment,
  address_id,
  agency_id,
  orderer_id,
  user_id
from keyed
