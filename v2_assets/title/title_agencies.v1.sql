-- One settlement agency, as V1 knew it.
-- An agency that a living source tells is left to that source.
with source as (
  select b.id as staged_id, b.payload as p, ops.v1_raw(b.payload, 'agency_id_raw') as agency_id_raw from batch b
),
keyed as (
  select s.*, live.id is not null as living
  from source s
  left join v2.title_agencies live on live.agency_id_raw = s.agency_id_raw and live.source <> 'v1'
)
select
  staged_id,
  case when living then 'filtered' end as fate,
  case when living then 'living_source' end as reason,
  null::jsonb as detail,
  null::text as waits_for,
  null::timestamptz as source_updated_at,
  agency_id_raw,
  p ->> 'name' as name,
  case when jsonb_typeof(p -> 'states') = 'array'
    then (select array_agg(x order by x) from jsonb_array_elements_text(p -> 'states') x) end as states,
  p ->> 'email' as email,
  p ->> 'phone' as phone
from keyed
