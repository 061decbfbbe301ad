-- One change of one member of one down-line, written by the merge that makes the change.
-- Status, size and join date are compared with what V2 shows; somebody who was not there before is new.
select m.network_id_raw, c.type, b.fetched_at as observed_at, c.value_old, c.value_new, m.tier, m.downline_agent_id_raw,
  m.user_id, m.agent_id
from merging m
join batch b on b.id = m.staged_id
left join v2.network_member n on n.network_id_raw = m.network_id_raw
cross join lateral (values
  ('New to Network', n.id is null or n.deleted_at is not null, null, m.status),
  ('Status', n.status is distinct from m.status, n.status, m.status),
  ('Network Size', n.network_size is distinct from m.network_size, n.network_size::text, m.network_size::text),
  ('Join Date', n.broker_join_date is distinct from m.broker_join_date, n.broker_join_date::text,
    m.broker_join_date::text)
) c(type, changed, value_old, value_new)
where c.changed and (n.id is not null or c.type = 'New to Network')
  and (n.source_updated_at is null or m.source_updated_at is null or m.source_updated_at >= n.source_updated_at)
