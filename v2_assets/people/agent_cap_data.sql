-- The cap of one agent this anniversary year.
-- The source's schema is not published: amounts come as objects or bare numbers, and what is absent stays null.
with source as (
  select b.id as staged_id, b.payload as p, b.payload #>> '{_v2,agent_id}' as agent_raw from batch b
),
keyed as (
  select s.*, a.id as agent_id from source s left join v2.agent a on a.agent_id_raw = s.agent_raw
)
select
  staged_id,
  case when agent_id is null then 'deferred' end as fate,
  case when agent_id is null then 'missing_parent' end as reason,
  null::jsonb as detail,
  case when agent_id is null then 'agent/' || agent_raw end as waits_for,
  agent_id,
  ops.money(p -> 'teamCapAmount') as team_cap,
  ops.money(p -> 'teamCapAmountPaid') as team_cap_paid,
  ops.money(p -> 'brokerageCapAmount') as brokerage_cap,
  ops.money(p -> 'brokerageCapAmountPaid') as brokerage_cap_paid,
  ops.money(ops.first_of(p, 'annualCap', 'cap')) as annual_cap,
  ops.flag(p -> 'capped') as capped,
  ops.flag(p -> 'unlocked') as unlocked,
  ops.instant(p ->> 'cappedAt') as capped_at,
  ops.day(p ->> 'nextAnniversaryDate') as next_anniversary,
  ops.day(p ->> 'sponsorProducingGracePeriodEnd') as sponsor_producing_grace_period_end,
  ops.day(p ->> 'deferredCapEndDate') as deferred_cap_end_date,
  ops.day(p ->> 'gracePeriodEnd') as grace_period_end,
  coalesce(ops.money_currency(p -> 'brokerageCapAmount'), ops.money_currency(p -> 'brokerageCapAmountPaid'),
    ops.money_currency(p -> 'teamCapAmount'), ops.money_currency(ops.first_of(p, 'annualCap', 'cap')),
    upper(ops.blank_null(p ->> 'currency'))) as currency
from keyed
