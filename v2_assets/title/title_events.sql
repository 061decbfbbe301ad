-- One milestone or activity of one title order.
-- A milestone has one row as it stands now, also one that nobody has heard of; it may be undone or not told (null).
with source as (
  select m.v2_id as order_id,
    case jsonb_typeof(b.payload -> 'progress') when 'object' then b.payload -> 'progress' else '{}' end as progress,
    case jsonb_typeof(b.payload -> 'activities') when 'array' then b.payload -> 'activities' else '[]' end
      as activities
  from merged m join batch b on b.id = m.staged_id
)
select order_id, 'milestone/' || key as event_key, 'milestone' as kind, key as name,
  ops.flag(value -> 'complete') as complete, ops.instant(value ->> 'completion_date') as occurred_at,
  null::text as description
from source cross join lateral jsonb_each(progress)
where jsonb_typeof(value) in ('object', 'null') and key not in ('current_stage', 'current_stage_key')
union all
select distinct on (order_id, event_key) order_id, event_key, 'activity', name, null::boolean, occurred_at, description
from source
cross join lateral jsonb_array_elements(activities) a
cross join lateral (select
  concat_ws('/', 'activity', coalesce(ops.blank_null(a ->> 'activity_type'), 'unnamed'), a ->> 'created_date',
    left(md5(a ->> 'description'), 8)) as event_key,
  ops.blank_null(a ->> 'activity_type') as name,
  ops.instant(a ->> 'created_date') as occurred_at,
  ops.blank_null(a ->> 'description') as description) e
where jsonb_typeof(a) = 'object'
