-- What this user earned from the network, in one currency.
-- Currencies are never added together; year and month are the calendar's in UTC, so the totals change with the day.
with fresh as (
  select %(user_id)s::bigint as user_id, c.currency,
    sum(c.amount) as total_amount,
    sum(c.amount) filter (where c.contribution_date >= date_trunc('year', now() at time zone 'UTC')) as ytd_amount,
    sum(c.amount) filter (where c.contribution_date >= date_trunc('month', now() at time zone 'UTC')) as mtd_amount,
    max(c.contribution_date) as last_contribution_date,
    max(c.tier) as tier
  from v2.contribution c
  where c.user_id = %(user_id)s and c.deleted_at is null and c.duplicate_of_id is null and c.missed is not true
    and c.currency is not null
  group by c.currency
)
select user_id, currency, total_amount, coalesce(ytd_amount, 0) as ytd_amount, coalesce(mtd_amount, 0) as mtd_amount,
  last_contribution_date, tier, null::timestamptz as deleted_at
from fresh
union all
select t.user_id, t.currency, t.total_amount, t.ytd_amount, t.mtd_amount, t.last_contribution_date, t.tier, now()
from v2.revshare_totals t
where t.user_id = %(user_id)s and t.deleted_at is null
  and not exists (select from fresh f where f.currency = t.currency)
