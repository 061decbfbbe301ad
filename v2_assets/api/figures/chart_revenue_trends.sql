-- Income of one month of one kind in one currency.
select extract(year from i.income_date)::bigint as period_year, extract(month from i.income_date)::bigint as period_month,
  i.income_type, i.currency, sum(i.amount) as amount
from v2.income i
where i.deleted_at is null
  and i.income_date >= coalesce(%(since)s::date, current_date - 365)
  and i.income_date <= coalesce(%(until)s::date, current_date)
group by 1, 2, 3, 4
order by 1, 2, 3, 4
