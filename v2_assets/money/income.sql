-- One income event of this user: the commission of a closed deal, or a contribution of the network.
-- A deal or contribution that stands for another one is counted, the other is not; what was missed is no income.
with source as (
  select 'GCI' as income_type, 'transaction' as source_table, t.id as source_row_id,
    coalesce(f.gci, t.gross_commission) as amount, coalesce(f.currency, t.currency) as currency,
    t.closing_date as income_date, coalesce(t.transaction_type, 'Deal') || ' closed' as description,
    t.transaction_owner_agent_id as agent_id, t.id as transaction_id, null::bigint as contribution_id, t.listing_id
  from v2.transaction t
  left join v2.transaction_financials f on f.transaction_id = t.id and f.deleted_at is null
  where t.user_id = %(user_id)s and t.closed and t.deleted_at is null and t.duplicate_of_id is null
  union all
  select 'RevShare', 'contribution', c.id, c.amount, c.currency, c.contribution_date,
    concat('Tier ', coalesce(c.tier::text, 'unknown')), c.receiving_agent_id, c.transaction_id, c.id, null
  from v2.contribution c
  where c.user_id = %(user_id)s and c.deleted_at is null and c.duplicate_of_id is null and c.missed is not true
),
fresh as (
  select *, extract(month from income_date)::smallint as period_month,
    extract(year from income_date)::smallint as period_year, %(user_id)s::bigint as user_id
  from source where amount is not null
)
select f.income_type, f.source_table, f.source_row_id, f.amount, f.currency, f.income_date, f.period_month,
  f.period_year, f.description, f.user_id, f.agent_id, f.transaction_id, f.contribution_id, f.listing_id,
  null::timestamptz as deleted_at
from fresh f
left join v2.income i using (income_type, source_table, source_row_id)
where (i.amount, i.currency, i.income_date, i.description, i.user_id, i.agent_id, i.transaction_id, i.contribution_id,
    i.listing_id, i.deleted_at)
  is distinct from (f.amount, f.currency, f.income_date, f.description, f.user_id, f.agent_id, f.transaction_id,
    f.contribution_id, f.listing_id, null)
union all
select i.income_type, i.source_table, i.source_row_id, i.amount, i.currency, i.income_date, i.period_month,
  i.period_year, i.description, i.user_id, i.agent_id, i.transaction_id, i.contribution_id, i.listing_id, now()
from v2.income i
where i.user_id = %(user_id)s and i.deleted_at is null and not exists (
  select from fresh f where f.income_type = i.income_type and f.source_table = i.source_table
    and f.source_row_id = i.source_row_id)
