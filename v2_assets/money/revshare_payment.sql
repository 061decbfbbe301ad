-- One rev-share payout.
-- What is paid is not the sum of what was earned: the programme adjusts each month.
with source as (
  select b.id as staged_id, b.payload as p, b.source_id as payment_id_raw,
    b.payload #>> '{_v2,agent_id}' as agent_raw, ops.code(b.payload -> 'status') as status_raw,
    ops.first_of(b.payload, 'amount', 'paymentAmount', 'payoutAmount', 'payout', 'totalPayout') as amount
  from batch b
),
keyed as (
  select s.*, a.id as agent_id, a.user_id, st.value as status
  from source s
  left join v2.agent a on a.agent_id_raw = s.agent_raw
  left join ops.code_map st on st.code_set = 'payment_status' and st.source = 'rezen' and st.raw = s.status_raw
)
select
  staged_id,
  case when agent_id is null then 'deferred' end as fate,
  case when agent_id is null then 'missing_parent' end as reason,
  null::jsonb as detail,
  ops.unknown_word('status', 'payment_status', status_raw, status) as words,
  case when agent_id is null then 'agent/' || agent_raw end as waits_for,
  payment_id_raw,
  ops.money(amount) as amount,
  coalesce(ops.money_currency(amount), upper(ops.blank_null(p ->> 'currency'))) as currency,
  status,
  ops.day(btrim(ops.first_of(p, 'paidAt', 'paymentDate', 'createdAt') #>> '{}')) as payment_date,
  ops.blank_null(p ->> 'paymentMethod') as payment_method,
  btrim(ops.first_of(p, 'paymentReference', 'reference') #>> '{}') as payment_reference,
  ops.day(p ->> 'periodStart') as period_start,
  ops.day(p ->> 'periodEnd') as period_end,
  user_id,
  agent_id
from keyed
