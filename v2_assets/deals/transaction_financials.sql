-- The money of one transaction.
-- null never becomes 0; currencies are kept beside the amounts and never added together.
select
  m.v2_id as transaction_id,
  b.source_updated_at,
  coalesce(ops.money(p -> 'totalGci'), t.gross_commission) as gci,
  (select sum(ops.money(s -> 'amount'))
   from jsonb_array_elements(case jsonb_typeof(p -> 'commissionSplits') when 'array' then p -> 'commissionSplits'
     else '[]' end) s
   where s ->> 'yentaId' = o.agent_id_raw) as agent_commission,
  (select sum(ops.money(x #> '{payment,amount}'))
   from jsonb_array_elements(case jsonb_typeof(p -> 'participants') when 'array' then p -> 'participants' else '[]' end) x
   where x ->> 'participantRole' = 'REAL') as brokerage_split,
  t.sale_price,
  t.list_price,
  ops.money(p -> 'saleCommissionAmount') as commission_amount,
  t.gross_commission,
  t.net_payout,
  t.currency
from merged m
join batch b on b.id = m.staged_id
join v2.transaction t on t.id = m.v2_id
left join v2.agent o on o.id = t.transaction_owner_agent_id
cross join lateral (select b.payload as p) x
