-- Deals of one month of one status.
-- A deal that is known through two sources counts once; the month is that of the contract, or without one of closing.
select extract(year from d.day)::bigint as period_year, extract(month from d.day)::bigint as period_month, d.status,
  count(*) as transactions
from (
  select coalesce(t.contract_date, t.closing_date) as day, t.status from v2.transaction t
  where t.deleted_at is null and t.duplicate_of_id is null
) d
where d.day >= coalesce(%(since)s::date, current_date - 365) and d.day <= coalesce(%(until)s::date, current_date)
group by 1, 2, 3
order by 1, 2, 3
