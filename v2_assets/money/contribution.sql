-- One rev-share contribution.
-- Its deal may be nobody's here, so a deal that is not known keeps the row and is linked when it comes.
with source as (
  select b.id as staged_id, b.payload as p, b.source_id as contribution_id_raw,
    b.payload #>> '{_v2,agent_id}' as agent_raw, ops.rezen_contributor(b.payload) as contributor_raw,
    ops.first_of(b.payload, 'amount', 'payout', 'payoutAmount', 'earnings') as amount,
    btrim(ops.first_of(b.payload, 'transactionId', 'dealId') #>> '{}') as transaction_id_raw
  from batch b
),
keyed as (
  select s.*, a.id as agent_id, a.user_id, c.id as contributor_id, t.id as transaction_id,
    case
      when a.id is null then 'agent/' || s.agent_raw
      when s.contributor_raw is not null and c.id is null then 'agent/' || s.contributor_raw
    end as waits_for
  from source s
  left join v2.agent a on a.agent_id_raw = s.agent_raw
  left join v2.agent c on c.agent_id_raw = s.contributor_raw
  left join v2.transaction t on t.source = 'rezen' and t.transaction_id_raw = s.transaction_id_raw
)
select
  staged_id,
  case when waits_for is not null then 'deferred' end as fate,
  case when waits_for is not null then 'missing_parent' end as reason,
  null::jsonb as detail,
  waits_for,
  contribution_id_raw,
  ops.money(amount) as amount,
  coalesce(ops.money_currency(amount), upper(ops.blank_null(p ->> 'currency'))) as currency,
  btrim(ops.first_of(p, 'contributionType', 'type') #>> '{}') as contribution_type,
  ops.code(p -> 'status') as status,
  ops.day(btrim(ops.first_of(p, 'contributionDate', 'earnedAt', 'createdAt') #>> '{}')) as contribution_date,
  ops.small(coalesce(p #> '{_v2,tier}', p -> 'tier')) as tier,
  coalesce((p #>> '{_v2,missed}')::boolean, false) as missed,
  ops.blank_null(p ->> 'notes') as notes,
  transaction_id_raw,
  user_id,
  agent_id,
  transaction_id,
  contributor_id as contributing_agent_id,
  agent_id as receiving_agent_id
from keyed
