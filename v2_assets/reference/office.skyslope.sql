-- One office of a SkySlope account.
-- The list of offices and a single answer name the fields otherwise; either is understood.
select
  b.id as staged_id,
  null::text as fate,
  null::text as reason,
  null::jsonb as detail,
  null::text as waits_for,
  b.source_id as office_id_raw,
  ops.first_of(b.payload, 'officeName', 'name') #>> '{}' as name
from batch b
