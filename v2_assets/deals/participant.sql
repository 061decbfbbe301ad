-- One person on one deal or listing; which of the two this is, the unit says.
-- The set is replaced with its deal. Only a deal that names no list of people at all leaves the old set as it was.
with source as (
  select m.v2_id, b.payload as deal, x.p, x.n, ops.code(ops.first_of(x.p, 'participantRole', 'role')) as role_raw,
    coalesce(ops.blank_null(x.p ->> 'id'), 'place-' || x.n) as id_raw,
    case jsonb_typeof(x.p -> 'payment') when 'object' then x.p -> 'payment'
      else jsonb_build_object('amount', x.p -> 'payment') end as payment
  from merged m
  join batch b on b.id = m.staged_id
  cross join lateral jsonb_array_elements(
    case jsonb_typeof(b.payload -> 'participants') when 'array' then b.payload -> 'participants' else '[]' end)
    with ordinality x(p, n)
),
cleaned as (
  -- One id with two roles is one person on two sides of a deal: the role tells the rows apart.
  select s.*,
    case when min(role_raw) over same <> max(role_raw) over same then id_raw || ':' || role_raw else id_raw end
      as participant_id_raw,
    ops.rezen_agent(p) as agent_id_raw,
    ops.rezen_address_key(p -> 'address') as address_key,
    ops.flag(p -> 'external') as external,
    ops.percent(payment -> 'percent') as share,
    max(ops.percent(payment -> 'percent')) over (partition by v2_id) as largest_share,
    coalesce(ops.money_currency(deal -> 'price'), ops.money_currency(deal -> 'grossCommission'),
      upper(ops.blank_null(deal ->> 'currency'))) as deal_currency
  from source s
  window same as (partition by v2_id, id_raw)
),
single as (
  select distinct on (v2_id, participant_id_raw) * from cleaned order by v2_id, participant_id_raw, n
),
splits as (
  -- What the deal pays to each agent after all splits; it goes to the agent's first row only.
  select d.v2_id, ops.rezen_agent(x) as agent_id_raw, sum(ops.money(x -> 'amount')) as amount,
    min(ops.money_currency(x -> 'amount')) as currency
  from (select m.v2_id, b.payload from merged m join batch b on b.id = m.staged_id) d
  cross join lateral jsonb_array_elements(
    case jsonb_typeof(d.payload -> 'commissionSplits') when 'array' then d.payload -> 'commissionSplits' else '[]' end) x
  group by 1, 2
  having count(distinct ops.money_currency(x -> 'amount')) <= 1
),
keyed as (
  select s.*, m.value as role, a.id as agent_id, a.user_id, ad.id as address_id,
    case when s.agent_id_raw is not null and row_number() over (
      partition by s.v2_id, s.agent_id_raw order by s.participant_id_raw) = 1 then sp.amount end as net_payout,
    sp.currency as split_currency
  from single s
  left join splits sp on sp.v2_id = s.v2_id and sp.agent_id_raw = s.agent_id_raw
  left join ops.code_map m on m.code_set = 'participant_role' and m.source = 'rezen' and m.raw = s.role_raw
  left join v2.agent a on a.agent_id_raw = s.agent_id_raw
  left join v2.address ad on ad.address_key = s.address_key
)
select
  'rezen' as source,
  participant_id_raw,
  case when %(parent)s = 'transaction_id' then v2_id end as transaction_id,
  case when %(parent)s = 'listing_id' then v2_id end as listing_id,
  role,
  ops.blank_null(p ->> 'participantStatus') as status,
  ops.blank_null(p ->> 'firstName') as first_name,
  ops.blank_null(p ->> 'lastName') as last_name,
  lower(ops.blank_null(p ->> 'emailAddress')) as email,
  ops.blank_null(p ->> 'phoneNumber') as phone,
  ops.blank_null(p ->> 'company') as company,
  (agent_id_raw is not null and external is distinct from true) as is_real_agent,
  ops.flag(p -> 'paidByReal') as paid_by_real,
  external,
  -- A fraction here; elsewhere the same source counts to 100. A deal has one scale: beside a 70, a 1 is one in a hundred.
  case when largest_share > 1 then share / 100 else share end as commission_split,
  ops.money(payment -> 'amount') as gross_commission,
  net_payout,
  case when coalesce(ops.money(payment -> 'amount'), net_payout) is not null
    then coalesce(ops.money_currency(payment -> 'amount'), split_currency, deal_currency) end as currency,
  agent_id_raw,
  %(parent)s = 'transaction_id' as is_transaction,
  %(parent)s = 'listing_id' as is_listing,
  agent_id,
  address_id,
  user_id
from keyed
union all
select o.source, o.participant_id_raw, o.transaction_id, o.listing_id, o.role, o.status, o.first_name, o.last_name,
  o.email, o.phone, o.company, o.is_real_agent, o.paid_by_real, o.external, o.commission_split, o.gross_commission,
  o.net_payout, o.currency, o.agent_id_raw, o.is_transaction, o.is_listing, o.agent_id, o.address_id, o.user_id
from merged m
join batch b on b.id = m.staged_id
join v2.participant o on o.deleted_at is null
  and case when %(parent)s = 'listing_id' then o.listing_id else o.transaction_id end = m.v2_id
where jsonb_typeof(b.payload -> 'participants') is distinct from 'array'
