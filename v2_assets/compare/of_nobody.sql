-- Missing rows that belong to no user are told by whatever key sees them: all have looked since, or not yet.
-- {integrations} and {entities} are the streams; a complete pass proves something only about what was there before it.
with read as (
  select count(*) filter (where s.last_full_at is not null) as read,
    count(*) filter (where s.last_full_at is null) as unread,
    min(coalesce(w.started_at, s.last_full_at)) as looked_at
  from ops.sync_state s
  left join lateral (
    select w.started_at from ops.sweep w where w.integration = s.integration and w.entity = s.entity
      and w.account_ref = s.account_ref and w.completed_at is not null and s.last_full_at is not null
    order by w.id desc limit 1
  ) w on true
  where (s.integration, s.entity) in (select * from unnest({integrations}::text[], {entities}::text[]))
)
update comparison_found f set
  reason = case when r.unread = 0 and r.looked_at > f.v1_by then 'not_visible_to_key' else 'never_fetched' end,
  evidence = jsonb_strip_nulls(jsonb_build_object(
    'why', case when r.unread = 0 and r.looked_at <= f.v1_by then 'not_read_since' else 'of_nobody' end,
    'streams_read', r.read, 'streams_unread', r.unread, 'looked_at', r.looked_at, 'in_v1_at', f.v1_by))
from read r where f.kind = 'missing' and f.reason is null
