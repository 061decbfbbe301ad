-- One person on one transaction.
-- The set is replaced with the transaction: who is no longer named is marked deleted, and returns if named again.
with rows as (
  select m.v2_id as transaction_id, x as p, n
  from merged m
  join batch b on b.id = m.staged_id
  cross join lateral jsonb_array_elements(
    case jsonb_typeof(b.payload -> 'participants') when 'array' then b.payload -> 'participants' else '[]' end)
    with ordinality e(x, n)
),
cleaned as (
  -- A row without an id is known by its place; an id that comes twice counts once.
  select distinct on (transaction_id, coalesce(ops.blank_null(p ->> 'id'), 'place-' || n))
    r.*, coalesce(ops.blank_null(p ->> 'id'), 'place-' || n) as participant_id_raw,
    coalesce(ops.blank_null(p ->> 'yentaUserId'), ops.blank_null(p ->> 'yentaId'), ops.blank_null(p ->> 'agentId'))
      as agent_id_raw,
    case when jsonb_typeof(p -> 'payment') = 'object' then p -> 'payment' else '{}' end as payment
  from rows r
  order by transaction_id, coalesce(ops.blank_null(p ->> 'id'), 'place-' || n), n
)
select
  'rezen' as source,
  c.participant_id_raw,
  c.transaction_id,
  null::bigint as listing_id,
  m.value as role,
  ops.blank_null(p ->> 'participantStatus') as status,
  ops.blank_null(p ->> 'firstName') as first_name,
  ops.blank_null(p ->> 'lastName') as last_name,
  lower(ops.blank_null(p ->> 'emailAddress')) as email,
  nullif(regexp_replace(p ->> 'phoneNumber', '[^0-9]', '', 'g'), '') as phone,
  ops.blank_null(p ->> 'company') as company,
  (a.id is not null and not coalesce(ops.flag(p -> 'external'), false)) as is_real_agent,
  ops.flag(p -> 'paidByReal') as paid_by_real,
  ops.flag(p -> 'external') as external,
  ops.percent(payment -> 'percent') as commission_split,
  ops.money(payment -> 'amount') as gross_commission,
  ops.money_currency(payment -> 'amount') as currency,
  c.agent_id_raw,
  true as is_transaction,
  false as is_listing,
  a.id as agent_id,
  a.user_id
from cleaned c
left join ops.code_map m on m.code_set = 'participant_role' and m.source = 'rezen'
  and m.raw = coalesce(ops.blank_null(p ->> 'participantRole'), p ->> 'role')
left join v2.agent a on a.agent_id_raw = c.agent_id_raw
