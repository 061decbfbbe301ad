-- One postal address, as the rows of imported files write it: in one line, or in parts that the mapping joins.
-- A file's spelling is a weak witness, so only the key and the line are kept until another source tells more.
with source as (
  select b.payload ->> 'address' as one_line from batch b
)
select ops.address_key(one_line) as address_key, min(one_line) as one_line
from source
where ops.address_key(one_line) is not null
group by 1
