-- One postal address, as a property of a title order mentions it.
-- The key is the normalised one-line form; where two records differ in a part, the smaller wins, whoever came first.
with source as (
  select p as a from batch b
  cross join lateral jsonb_array_elements(
    case jsonb_typeof(b.payload -> 'properties') when 'array' then b.payload -> 'properties' else '[]' end) p
),
cleaned as (
  select
    ops.title_address_key(a) as address_key,
    btrim(ops.first_of(a, 'address_line_1', 'address_1') #>> '{}') as street,
    btrim(ops.first_of(a, 'address_line_2', 'address_2') #>> '{}') as unit,
    btrim(ops.blank_null(a ->> 'city')) as city,
    btrim(ops.blank_null(a ->> 'county')) as county,
    ops.state_abbreviation(a ->> 'state') as state_abbreviation,
    btrim(ops.first_of(a, 'zipcode', 'zip') #>> '{}') as zip
  from source
  where jsonb_typeof(a) = 'object'
)
select address_key, min(street) as street, min(unit) as unit, min(city) as city, min(county) as county,
  min(state_abbreviation) as state_abbreviation, min(zip) as zip, 'US' as country
from cleaned
where address_key is not null
group by address_key
