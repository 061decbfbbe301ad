-- The platform's counts on one day: live rows of every V2 table, staged rows of every table by status.
-- The first run of a day (UTC) takes them all; the others of that day only see that it is done.
with today as (select (now() at time zone 'UTC')::date as taken_on),
due as (
  select taken_on from today where not exists (select from v2.metrics_snapshots m where m.taken_on = today.taken_on)
)
select due.taken_on, c.metric, c.number as value
from due cross join lateral (select * from ops.row_counts() where due.taken_on is not null) c
