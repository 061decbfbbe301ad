-- One agent's equity in one month in which something happened to it.
-- What is held is what ever came in less what went out; its worth is at the last price that an entry has named.
with entries as (
  select e.agent_id, e.user_id, extract(year from e.transaction_date)::smallint as period_year, extract(month from e.transaction_date)::smallint as period_month,
    sum(e.amount) filter (where e.transaction_type in ('Granted', 'Purchased')) as granted,
    sum(e.amount) filter (where e.transaction_type = 'Vested') as vested,
    sum(e.amount) filter (where e.transaction_type = 'Exercised') as exercised,
    sum(e.amount) filter (where e.transaction_type = 'Forfeited') as forfeited,
    (array_agg(e.price order by e.transaction_date desc, e.id desc) filter (where e.price is not null))[1] as price,
    min(e.currency) as currency, max(e.currency) as other_currency
  from v2.equity_transactions e
  join v2.agent a on a.id = e.agent_id
  where a.user_id = %(user_id)s and e.deleted_at is null and e.transaction_date is not null
  group by 1, 2, 3, 4
),
running as (
  select n.*,
    sum(coalesce(granted, 0) - coalesce(exercised, 0) - coalesce(forfeited, 0)) over so_far as total_shares,
    sum(coalesce(vested, 0) - coalesce(exercised, 0)) over so_far as vested_shares,
    (array_agg(price) filter (where price is not null) over so_far) as prices,
    min(currency) over so_far as first_currency, max(other_currency) over so_far as last_currency
  from entries n
  window so_far as (partition by agent_id order by period_year, period_month)
),
fresh as (
  select agent_id, period_year, period_month, total_shares, vested_shares, total_shares - vested_shares as unvested_shares,
    case when first_currency = last_currency
         then round(total_shares * prices[cardinality(prices)], 2) end as total_value,
    case when first_currency = last_currency then first_currency end as currency,
    coalesce(granted, 0) as grants_this_period, coalesce(vested, 0) as vested_this_period,
    coalesce(exercised, 0) as exercised_this_period, coalesce(forfeited, 0) as forfeited_this_period, user_id
  from running
)
select f.*, null::timestamptz as deleted_at from fresh f
union all
select t.agent_id, t.period_year, t.period_month, t.total_shares, t.vested_shares, t.unvested_shares, t.total_value, t.currency,
  t.grants_this_period, t.vested_this_period, t.exercised_this_period, t.forfeited_this_period, t.user_id, now()
from v2.equity_monthly t
where t.user_id = %(user_id)s and t.deleted_at is null and not exists (
  select from fresh f where f.agent_id = t.agent_id and f.period_year = t.period_year and f.period_month = t.period_month)
