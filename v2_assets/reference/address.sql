-- One postal address, as a deal or one of its people mentions it.
-- The key is the normalised one-line form; where two records differ in a part, the smaller wins, whoever came first.
with source as (
  select b.payload -> 'address' as a from batch b
  union all
  select x -> 'address' from batch b
  cross join lateral jsonb_array_elements(
    case jsonb_typeof(b.payload -> 'participants') when 'array' then b.payload -> 'participants' else '[]' end) x
),
cleaned as (
  select
    ops.rezen_address_key(a) as address_key,
    ops.blank_null(case jsonb_typeof(a) when 'string' then a #>> '{}' else a ->> 'oneLine' end) as one_line,
    ops.blank_null(a ->> 'street') as street,
    ops.first_of(a, 'unit', 'street2') #>> '{}' as unit,
    ops.blank_null(a ->> 'city') as city,
    ops.blank_null(a ->> 'county') as county,
    ops.state_abbreviation(a ->> 'state') as state_abbreviation,
    ops.first_of(a, 'zip', 'zipCode', 'zipcode') #>> '{}' as zip,
    upper(ops.blank_null(a ->> 'country')) as country
  from source
  where jsonb_typeof(a) in ('object', 'string')
)
select
  c.address_key,
  min(c.one_line) as one_line,
  min(c.street) as street,
  min(c.unit) as unit,
  min(c.city) as city,
  min(c.county) as county,
  min(c.state_abbreviation) as state_abbreviation,
  min(c.zip) as zip,
  min(coalesce(m.value, c.country)) as country
from cleaned c
left join ops.code_map m on m.code_set = 'country' and m.source = 'rezen' and m.raw = c.country
where c.address_key is not null
group by c.address_key
