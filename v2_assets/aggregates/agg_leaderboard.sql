-- One agent's place in the team by one metric in one month or year.
-- Agents count for the team they are on now; who has nothing has no place; each currency is a metric of its own.
with month as (
  select a.team_id, m.agent_id, m.period_year as year, m.period_month as month, lower(m.currency) as currency,
    m.closed_buyer_count + m.closed_seller_count + m.closed_other_count as closed_count,
    coalesce(m.closed_buyer_volume, 0) + coalesce(m.closed_seller_volume, 0) + coalesce(m.closed_other_volume, 0) as volume,
    coalesce(m.closed_buyer_gci, 0) + coalesce(m.closed_seller_gci, 0) + coalesce(m.closed_other_gci, 0) as gci
  from (select distinct owner_id from changed) g
  join v2.agent a on a.team_id = g.owner_id and a.deleted_at is null
  join v2.agg_agent_monthly m on m.agent_id = a.id and m.deleted_at is null
),
metric as (
  select m.team_id, m.agent_id, p.period, p.before, v.metric, sum(v.value) as value
  from month m
  cross join lateral (values
    (format('%s-%s', m.year, lpad(m.month::text, 2, '0')),
     to_char(make_date(m.year, m.month, 1) - interval '1 month', 'YYYY-MM')),
    (m.year::text, (m.year - 1)::text)) p (period, before)
  cross join lateral (values
    ('closed_count', m.closed_count::numeric), ('closed_volume_' || m.currency, m.volume),
    ('closed_gci_' || m.currency, m.gci)) v (metric, value)
  where v.metric is not null and v.value > 0
  group by 1, 2, 3, 4, 5
),
placed as (
  select *, rank() over (partition by team_id, period, metric order by value desc) as rank,
    round(value / sum(value) over (partition by team_id, period, metric), 4) as share_of_team
  from metric
)
select p.team_id, p.period, p.metric, p.agent_id, p.value, p.rank, b.rank as previous_rank, p.share_of_team
from placed p
left join placed b on b.team_id = p.team_id and b.agent_id = p.agent_id and b.metric = p.metric and b.period = p.before
