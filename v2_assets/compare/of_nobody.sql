-- Missing rows that belong to no user are told by whatever key sees them: all have looked since, or not yet.
-- {integrations} and {entities} are the streams; a complete pass proves something only about what was there before it.
with read as (
  select count(*) filter (where s.last_full_at is not null) as read,
    count(*) filter (where s.last_full_at is null) as unread,
    min(s.looked_at) filter (where s.last_full_at is not null) as looked_at
  from {passes} s
  where (s.integration, s.entity) in (select * from unnest({integrations}::text[], {entities}::text[]))
)
update comparison_found f set
  reason = case when r.unread = 0 and r.looked_at > f.v1_by then 'not_visible_to_key' else 'never_fetched' end,
  evidence = jsonb_strip_nulls(jsonb_build_object(
    'why', case when r.unread = 0 and r.looked_at <= f.v1_by then 'not_read_since' else 'of_nobody' end,
    'streams_read', r.read, 'streams_unread', r.unread, 'looked_at', r.looked_at, 'in_v1_at', f.v1_by))
from read r where f.kind = 'missing' and f.reason is null
