-- One change of a listing's status or price: what it is from then on.
-- Written by the merge that makes the change.
select l.id as listing_id, coalesce(m.source_updated_at, now()) as changed_at, m.status, m.list_price as price
from merging m
join v2.listing l on l.source = m.source and l.listing_id_raw = m.listing_id_raw
where (l.status, l.list_price) is distinct from (m.status, m.list_price::numeric(14, 2))
  and (m.source_updated_at is null or l.source_updated_at is null or m.source_updated_at >= l.source_updated_at)
