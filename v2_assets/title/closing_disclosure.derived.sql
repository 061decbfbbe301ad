-- The deal of disclosures that name none themselves: their order's.
-- Only rows that differ come out; a disclosure that names its deal keeps it.
select c.source, c.closing_disclosure_id_raw, o.transaction_id, c.source_updated_at, c.deleted_at
from v2.title_orders o
join v2.closing_disclosure c on c.order_id = o.id
where o.user_id = %(user_id)s and c.details ->> 'transaction_id' is null
  and c.transaction_id is distinct from o.transaction_id
