-- One change of a milestone: done, undone, or moved to another time.
-- The source tells no time of change, so it is the time at which we saw it; first news of a milestone are no change.
select o.id as order_id, e.event_key, now() as changed_at, e.complete as old_complete, n.complete as new_complete,
  e.occurred_at as old_occurred_at, n.occurred_at as new_occurred_at
from merging m
join v2.title_orders o on o.order_id_raw = m.order_id_raw
cross join lateral jsonb_each(m.milestones) x
cross join lateral (select ops.flag(x.value -> 'complete') as complete,
  ops.instant(x.value ->> 'completion_date') as occurred_at) n
join v2.title_events e on e.order_id = o.id and e.event_key = 'milestone/' || x.key and e.deleted_at is null
where jsonb_typeof(x.value) in ('object', 'null')
  and (e.complete, e.occurred_at) is distinct from (n.complete, n.occurred_at)
