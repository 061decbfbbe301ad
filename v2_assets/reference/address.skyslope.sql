-- One postal address, as a SkySlope file mentions its property.
-- The key is the normalised one-line form; where two records differ in a part, the smaller wins, whoever came first.
with source as (
  select b.payload -> 'property' as a from batch b where jsonb_typeof(b.payload -> 'property') = 'object'
),
cleaned as (
  select ops.skyslope_address_key(a) as address_key, ops.skyslope_street(a) as street,
    btrim(ops.blank_null(a ->> 'unit')) as unit, btrim(ops.blank_null(a ->> 'city')) as city,
    btrim(ops.blank_null(a ->> 'county')) as county, ops.state_abbreviation(a ->> 'state') as state_abbreviation,
    btrim(ops.blank_null(a ->> 'zip')) as zip
  from source
)
select c.address_key, min(c.street) as street, min(c.unit) as unit, min(c.city) as city, min(c.county) as county,
  min(c.state_abbreviation) as state_abbreviation, min(c.zip) as zip, min(s.country) as country
from cleaned c
left join v2.state_province s on s.abbreviation = c.state_abbreviation
where c.address_key is not null
group by c.address_key
