-- The money of one deal.
-- null never becomes 0, and an amount in another currency than the deal's is never added to it.
with source as (
  select m.v2_id as transaction_id, b.source_updated_at, b.payload as p, t.sale_price, t.list_price,
    t.gross_commission, t.net_payout, t.currency
  from merged m
  join batch b on b.id = m.staged_id
  join v2.transaction t on t.id = m.v2_id
),
splits as (
  select s.transaction_id, sum(ops.money(x -> 'amount')) as agents
  from source s
  cross join lateral jsonb_array_elements(
    case jsonb_typeof(p -> 'commissionSplits') when 'array' then p -> 'commissionSplits' else '[]' end) x
  where coalesce(ops.money_currency(x -> 'amount'), s.currency) is not distinct from s.currency
  group by s.transaction_id
),
payments as (
  select s.transaction_id,
    sum(o.gross_commission) filter (where o.is_real_agent) as agents,
    sum(o.gross_commission) filter (where o.role in ('Real', 'Real Admin')) as brokerage,
    sum(o.gross_commission) filter (where o.role in ('Team Leader', 'Pro Team Leader', 'Domestic Lead')) as team
  from source s
  join v2.participant o on o.transaction_id = s.transaction_id and o.deleted_at is null
  where o.currency is not distinct from s.currency
  group by s.transaction_id
)
select
  s.transaction_id,
  s.source_updated_at,
  coalesce(ops.money(p -> 'totalGci'), s.gross_commission) as gci,
  coalesce(sp.agents, pa.agents) as agent_commission,
  pa.team as team_split,
  pa.brokerage as brokerage_split,
  s.sale_price,
  s.list_price,
  ops.money(ops.first_of(p, 'saleCommissionAmount', 'listingCommissionAmount')) as commission_amount,
  s.gross_commission,
  s.net_payout,
  s.currency
from source s
left join splits sp on sp.transaction_id = s.transaction_id
left join payments pa on pa.transaction_id = s.transaction_id
