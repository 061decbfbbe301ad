-- One office, as deals mention it.
-- The brokerage is looked up by the name that brokerage.sql gives it.
with source as (
  select coalesce(payload -> 'office', '{}') as office, payload #>> '{agentsInfo,officeId}' as office_raw from batch
),
cleaned as (
  select coalesce(ops.blank_null(office ->> 'id'), ops.blank_null(office_raw)) as office_id_raw,
    ops.blank_null(office ->> 'name') as name
  from source
)
select office_id_raw, max(name) as name,
  (select b.id from v2.brokerage b where b.name = 'The Real Brokerage') as brokerage_id
from cleaned where office_id_raw is not null group by office_id_raw
