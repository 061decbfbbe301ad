-- One settlement agency, as orders mention it.
-- Its own record knows better: only agencies without one are told here, and of two names the smaller stays.
with source as (
  select ops.blank_null(b.payload ->> 'settlement_agency_id') as agency_id_raw,
    btrim(ops.blank_null(b.payload ->> 'settlement_agency_name')) as name
  from batch b
)
select s.agency_id_raw, min(s.name) as name
from source s
where s.agency_id_raw is not null and not exists (
  select from v2.title_agencies a
  join staging.stage_title_agencies own on own.v2_id = a.id and own.status = 'processed'
  where a.agency_id_raw = s.agency_id_raw)
group by s.agency_id_raw
