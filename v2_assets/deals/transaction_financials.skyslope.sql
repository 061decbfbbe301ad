-- The money of one SkySlope sale.
-- 0 means not set, and a sum of splits is only told where every split has an amount.
with source as (
  select m.v2_id as transaction_id, b.source_updated_at, b.payload as p, t.sale_price, t.list_price, t.gross_commission,
    t.currency
  from merged m
  join batch b on b.id = m.staged_id
  join v2.transaction t on t.id = m.v2_id
)
select
  s.transaction_id,
  s.source_updated_at,
  s.gross_commission as gci,
  a.amount as agent_commission,
  s.sale_price,
  s.list_price,
  coalesce(ops.skyslope_money(p #> '{commission,saleCommissionAmount}'),
    ops.skyslope_money(p #> '{commission,listingCommissionAmount}')) as commission_amount,
  s.gross_commission,
  s.currency
from source s
left join lateral (
  select case when count(*) = count(ops.skyslope_money(c -> 'amount'))
    then sum(ops.skyslope_money(c -> 'amount')) end as amount
  from jsonb_array_elements(
    case jsonb_typeof(p -> 'commissionSplits') when 'array' then p -> 'commissionSplits' else '[]' end) c
) a on true
