-- One office, as agents' own profiles mention it.
-- The newest record that tells a name counts; one that only tells the id changes nothing.
with source as (
  select ops.blank_null(o ->> 'id') as office_id_raw, ops.blank_null(o ->> 'name') as name, b.source_updated_at
  from batch b
  cross join lateral jsonb_array_elements(
    case jsonb_typeof(b.payload -> 'offices') when 'array' then b.payload -> 'offices' else '[]' end) o
),
cleaned as (
  select distinct on (office_id_raw)
    office_id_raw, name, case when name is not null then source_updated_at end as source_updated_at
  from source
  where office_id_raw is not null
  order by office_id_raw, name is null, source_updated_at desc nulls last, name
)
select c.office_id_raw, c.name, br.id as brokerage_id, c.source_updated_at
from cleaned c
left join v2.brokerage br on br.name = 'The Real Brokerage'
