-- One payout to one person on one deal.
-- An agent's lines are the deal's commission splits; whoever has none gets what the payment says. The house is not paid.
with people as (
  select p.transaction_id, p.id as participant_id, p.participant_id_raw, p.agent_id_raw, p.role, p.gross_commission,
    p.currency, m.staged_id,
    row_number() over (partition by p.transaction_id, p.agent_id_raw order by p.participant_id_raw) as place
  from merged m
  join v2.participant p on p.transaction_id = m.v2_id and p.deleted_at is null
),
splits as (
  select m.v2_id as transaction_id, ops.rezen_agent(x) as agent_id_raw, ops.money(x -> 'amount') as amount,
    ops.money_currency(x -> 'amount') as currency, n
  from merged m
  join batch b on b.id = m.staged_id
  cross join lateral jsonb_array_elements(
    case jsonb_typeof(b.payload -> 'commissionSplits') when 'array' then b.payload -> 'commissionSplits' else '[]' end)
    with ordinality e(x, n)
  where ops.money(x -> 'amount') is not null
)
select p.transaction_id, p.participant_id,
  row_number() over (partition by p.participant_id order by s.n) as line_no,
  'Commission Split' as payment_type, s.amount, coalesce(s.currency, p.currency) as currency
from people p
join splits s on s.transaction_id = p.transaction_id and s.agent_id_raw = p.agent_id_raw
where p.place = 1
union all
select p.transaction_id, p.participant_id, 1, 'Payment', p.gross_commission, p.currency
from people p
where p.gross_commission is not null and p.role not in ('Real', 'Real Admin')
  and not exists (
    select from splits s where s.transaction_id = p.transaction_id and s.agent_id_raw = p.agent_id_raw)
