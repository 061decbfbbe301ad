-- One postal address, as V1's deals and listings write it in one line.
-- V1 keeps no parts, so only the key and the line are known until another source tells more.
select
  ops.address_key(b.payload ->> 'address') as address_key,
  min(b.payload ->> 'address') as one_line
from batch b
where ops.address_key(b.payload ->> 'address') is not null
group by 1
