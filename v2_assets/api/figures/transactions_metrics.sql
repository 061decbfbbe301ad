-- Deals by status and currency.
-- A deal that is known through two sources counts once; the period is about the day of contract, or without one of closing.
select t.status, t.currency, count(*) as transactions, sum(t.sale_price) as volume,
  sum(t.gross_commission) as gross_commission, sum(f.gci) as gci, sum(t.net_payout) as net_payout
from v2.transaction t
left join v2.transaction_financials f on f.transaction_id = t.id and f.deleted_at is null
where t.deleted_at is null and t.duplicate_of_id is null
  and (%(since)s::date is null or coalesce(t.contract_date, t.closing_date) >= %(since)s::date)
  and (%(until)s::date is null or coalesce(t.contract_date, t.closing_date) <= %(until)s::date)
group by 1, 2
order by 1, 2
