-- One entry of an agent's equity ledger.
-- The adapter's shape is an assumption (resources/apis/rezen/equity.py); two entries of one kind and day are one.
with source as (
  select b.id as staged_id, b.payload as p, b.payload #>> '{_v2,agent_id}' as agent_raw,
    ops.code(b.payload -> 'entryType') as type_raw,
    ops.money(b.payload -> 'shares') as shares, ops.money(b.payload -> 'pricePerShare') as price
  from batch b
),
keyed as (
  select s.*, a.id as agent_id, a.user_id, ty.value as transaction_type
  from source s
  left join v2.agent a on a.agent_id_raw = s.agent_raw
  left join ops.code_map ty on ty.code_set = 'equity_type' and ty.source = 'rezen' and ty.raw = s.type_raw
)
select
  staged_id,
  case when transaction_type is null then 'rejected' when agent_id is null then 'deferred' end as fate,
  case when transaction_type is null then 'unknown_code' when agent_id is null then 'missing_parent' end as reason,
  case when transaction_type is null
       then jsonb_build_object('field', 'entryType', 'code_set', 'equity_type', 'value', type_raw) end as detail,
  case when agent_id is null then 'agent/' || agent_raw end as waits_for,
  btrim(ops.first_of(p, 'grantId', 'id') #>> '{}') as grant_id_raw,
  transaction_type,
  ops.day(p ->> 'entryDate') as transaction_date,
  shares as amount,
  price,
  round(shares * price, 2) as value,
  ops.money_currency(p -> 'pricePerShare') as currency,
  ops.blank_null(p ->> 'status') as status,
  ops.day(p ->> 'vestsOn') as vesting_date,
  ops.day(p ->> 'expiresOn') as expiration_date,
  ops.blank_null(p ->> 'planType') as grant_type,
  user_id,
  agent_id
from keyed
