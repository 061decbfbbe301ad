-- One user's CRM activity on one day (UTC).
-- What a contact did counts for the user who has the contact now (fub_events.user_id).
with days as materialized (
  select c.owner_id as user_id, c.period as day, c.period::timestamp at time zone 'UTC' as begins,
    (c.period + 1)::timestamp at time zone 'UTC' as ends
  from changed c join v2."user" u on u.id = c.owner_id where c.period is not null
),
counted as (
  select d.user_id, d.day,
    (select array[count(*), count(*) filter (where x.is_incoming), coalesce(sum(x.duration), 0)]::bigint[]
     from v2.fub_calls x where x.user_id = d.user_id and x.fub_created_at >= d.begins and x.fub_created_at < d.ends
       and x.deleted_at is null) as calls,
    (select array[count(*), count(*) filter (where x.is_incoming)]
     from v2.fub_text_messages x where x.user_id = d.user_id and x.sent >= d.begins and x.sent < d.ends
       and x.deleted_at is null) as texts,
    (select count(*) from v2.fub_events x
     where x.user_id = d.user_id and x.occurred >= d.begins and x.occurred < d.ends and x.deleted_at is null) as events,
    (select count(*) from v2.fub_appointments x
     where x.user_id = d.user_id and x.start >= d.begins and x.start < d.ends and x.deleted_at is null) as appointments,
    (select count(*) from v2.fub_people x
     where x.user_id = d.user_id and x.fub_created_at >= d.begins and x.fub_created_at < d.ends
       and x.deleted_at is null) as new_people
  from days d
)
select user_id, day, calls[1] as calls, calls[2] as calls_incoming, calls[3] as call_seconds, texts[1] as texts,
  texts[2] as texts_incoming, events, appointments, new_people
from counted
where calls[1] + texts[1] + events + appointments + new_people > 0
