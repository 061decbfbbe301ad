-- The deals of one team in one ISO week.
-- A deal counts once whatever sources tell it; amounts of two currencies in one week are not added, but left out.
with deal as (
  select t.team_id, s.state, extract(isoyear from s.day)::smallint as iso_year, extract(week from s.day)::smallint as iso_week,
    -- The deal behind an internal referral is one of its own; its price counts there.
    case when t.transaction_type is distinct from 'Internal Referral' then t.sale_price end as price,
    coalesce(f.gci, t.gross_commission) as gci, coalesce(t.currency, f.currency) as currency
  from (select distinct c.owner_id from changed c join v2.team tm on tm.id = c.owner_id) g
  join v2.transaction t on t.team_id = g.owner_id
  left join v2.transaction_financials f on f.transaction_id = t.id and f.deleted_at is null
  cross join lateral (values
    ('new', coalesce(t.contract_date, t.listing_date)),
    (case when t.closed then 'closed' when t.terminated then 'terminated' else 'pending' end,
     coalesce(t.closing_date, t.contract_date))) s (state, day)
  where t.deleted_at is null and t.duplicate_of_id is null and s.day is not null
)
select team_id, iso_year, iso_week,
  case when min(currency) = max(currency) then min(currency) end as currency,
  count(*) filter (where state = 'new') as new_count,
  count(*) filter (where state = 'pending') as pending_count,
  count(*) filter (where state = 'closed') as closed_count,
  count(*) filter (where state = 'terminated') as terminated_count,
  case when min(currency) is not distinct from max(currency)
       then sum(price) filter (where state = 'closed') end as closed_volume,
  case when min(currency) is not distinct from max(currency)
       then sum(gci) filter (where state = 'closed') end as closed_gci
from deal group by team_id, iso_year, iso_week
