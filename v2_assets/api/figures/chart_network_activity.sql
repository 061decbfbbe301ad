-- One month of the down-line.
-- An agent in two tiers of one down-line joined once.
with moved as (
  select distinct n.agent_id, n.downline_agent_id_raw, n.broker_join_date as day, true as joined
  from v2.network_member n where n.deleted_at is null and n.broker_join_date is not null
  union all
  select distinct n.agent_id, n.downline_agent_id_raw, n.broker_terminated_date, false
  from v2.network_member n where n.deleted_at is null and n.broker_terminated_date is not null
)
select extract(year from m.day)::bigint as period_year, extract(month from m.day)::bigint as period_month,
  count(*) filter (where m.joined) as joined, count(*) filter (where not m.joined) as left
from moved m
where m.day >= coalesce(%(since)s::date, current_date - 365) and m.day <= coalesce(%(until)s::date, current_date)
group by 1, 2
order by 1, 2
