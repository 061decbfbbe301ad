-- One change of a transaction's state, price or closing date.
-- Written by the merge that makes the change, so nothing that V2 showed is ever forgotten.
select t.id as transaction_id, coalesce(m.source_updated_at, now()) as changed_at, c.field, c.old_value, c.new_value,
  t.status as old_status, m.status as new_status, m.source as changed_by
from merging m
join v2.transaction t on t.source = m.source and t.transaction_id_raw = m.transaction_id_raw
cross join lateral (values
  ('status', t.status, m.status),
  ('lifecycle_state', t.lifecycle_state, m.lifecycle_state),
  ('sale_price', t.sale_price::text, m.sale_price::numeric(14, 2)::text),
  ('closing_date', t.closing_date::text, m.closing_date::text)
) c(field, old_value, new_value)
where c.old_value is distinct from c.new_value
  and (m.source_updated_at is null or t.source_updated_at is null or m.source_updated_at >= t.source_updated_at)
