-- One office, as deals mention it.
-- The newest record that tells a name counts; one that only tells the id changes nothing.
with source as (
  select
    coalesce(ops.blank_null(b.payload #>> '{office,id}'), ops.blank_null(b.payload #>> '{agentsInfo,officeId}'))
      as office_id_raw,
    ops.blank_null(b.payload #>> '{office,name}') as name,
    b.source_updated_at
  from batch b
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
