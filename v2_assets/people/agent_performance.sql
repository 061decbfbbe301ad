-- The counted work of one agent: deals and listings the agent owns.
-- The same deal seen through another source counts once; what is deleted does not count.
with mine as (
  select t.transaction_owner_agent_id as agent_id
  from staging.stage_rezen_transactions s join v2.transaction t on t.id = s.v2_id
  where s.user_id = %(user_id)s and s.status = 'processed'
  union
  select l.transaction_owner_agent_id
  from staging.stage_rezen_listings s join v2.listing l on l.id = s.v2_id
  where s.user_id = %(user_id)s and s.status = 'processed'
  union
  select a.id from v2.agent a where a.user_id = %(user_id)s
),
deals as (
  select t.transaction_owner_agent_id as agent_id,
    count(*) as all_count,
    count(*) filter (where t.status in ('Pending', 'Active')) as pending_count,
    count(*) filter (where t.status = 'Closed') as closed_count,
    count(*) filter (where t.status in ('Terminated', 'Canceled')) as terminated_count
  from v2.transaction t
  where t.deleted_at is null and t.duplicate_of_id is null
    and t.transaction_owner_agent_id in (select agent_id from mine)
  group by 1
),
listings as (
  select l.transaction_owner_agent_id as agent_id,
    count(*) as all_count,
    count(*) filter (where l.status = 'Active') as active_count,
    count(*) filter (where l.status = 'Pending') as under_contract_count,
    count(*) filter (where l.status in ('Terminated', 'Canceled')) as terminated_count
  from v2.listing l
  where l.deleted_at is null and l.transaction_owner_agent_id in (select agent_id from mine)
  group by 1
)
select
  m.agent_id,
  coalesce(d.all_count, 0) as all_transaction_count,
  coalesce(d.pending_count, 0) as pending_transaction_count,
  coalesce(d.closed_count, 0) as closed_transaction_count,
  coalesce(d.terminated_count, 0) as terminated_transaction_count,
  coalesce(l.all_count, 0) as all_listing_count,
  coalesce(l.active_count, 0) as active_listing_count,
  coalesce(l.under_contract_count, 0) as under_contract_listing_count,
  coalesce(l.terminated_count, 0) as terminated_listing_count
from mine m
left join deals d on d.agent_id = m.agent_id
left join listings l on l.agent_id = m.agent_id
where m.agent_id is not null
