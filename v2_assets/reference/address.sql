-- One postal address, as deals mention it.
-- The key is the normalised one-line form, so one address written in two ways is one row.
with source as (
  select payload -> 'address' as a from batch where jsonb_typeof(payload -> 'address') = 'object'
),
cleaned as (
  select
    ops.blank_null(a ->> 'oneLine') as one_line,
    ops.blank_null(a ->> 'street') as street,
    coalesce(ops.blank_null(a ->> 'unit'), ops.blank_null(a ->> 'street2')) as unit,
    ops.blank_null(a ->> 'city') as city,
    ops.blank_null(a ->> 'county') as county,
    ops.blank_null(a ->> 'state') as state,
    coalesce(ops.blank_null(a ->> 'zip'), ops.blank_null(a ->> 'zipCode'), ops.blank_null(a ->> 'zipcode')) as zip,
    ops.blank_null(a ->> 'country') as country
  from source
),
keyed as (
  select c.*, coalesce(ops.address_key(street, unit, city, state, zip), ops.address_key(one_line)) as address_key
  from cleaned c
)
select address_key, one_line, street, unit, city, county, ops.state_abbreviation(state) as state_abbreviation, zip,
  coalesce(m.value, country) as country
from keyed k
left join ops.code_map m on m.code_set = 'country' and m.source = 'rezen' and m.raw = k.country
where address_key is not null
