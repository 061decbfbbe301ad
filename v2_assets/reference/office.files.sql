-- One office, as SkySlope files mention it: its id and nothing else.
-- The list of offices knows its name; an office that only files name has none.
select distinct lower(ops.blank_null(b.payload ->> 'officeGuid')) as office_id_raw
from batch b
where ops.blank_null(b.payload ->> 'officeGuid') is not null
