-- One postal address, as V1's deals, listings and title orders write it in one line.
-- V1 keeps no parts, so only the key and the line are known until another source tells more.
with source as (
  select coalesce(b.payload ->> 'address', b.payload ->> 'property_address') as one_line from batch b
)
select ops.address_key(one_line) as address_key, min(one_line) as one_line
from source
where ops.address_key(one_line) is not null
group by 1
