-- One agent in one month: deals by state and side, listings, network, rev share, and CRM activity of the agent's user.
-- A deal counts once whatever sources tell it; amounts of two currencies in one month are not added, but left out.
with agents as materialized (select distinct c.owner_id as agent_id from changed c join v2.agent a on a.id = c.owner_id),
deal as (
  select g.agent_id, s.state, s.day,
    -- The deal behind an internal referral is one of its own; its price counts there.
    case when t.transaction_type is distinct from 'Internal Referral' then t.sale_price end as price,
    coalesce(f.gci, t.gross_commission) as gci,
    coalesce(t.currency, f.currency) as currency, t.closing_date - t.contract_date as days,
    case when t.representation in ('Buyer', 'Tenant') then 'buyer'
         when t.representation in ('Seller', 'Landlord') then 'seller' else 'other' end as side
  from agents g
  join v2.transaction t on t.transaction_owner_agent_id = g.agent_id
  left join v2.transaction_financials f on f.transaction_id = t.id and f.deleted_at is null
  cross join lateral (values
    ('new', coalesce(t.contract_date, t.listing_date)),
    (case when t.closed then 'closed' when t.terminated then 'terminated' else 'pending' end,
     coalesce(t.closing_date, t.contract_date))) s (state, day)
  where t.deleted_at is null and t.duplicate_of_id is null and s.day is not null
),
deals as (
  select agent_id, date_trunc('month', day)::date as month,
    min(currency) as currency, max(currency) as other_currency,
    count(*) filter (where state = 'new' and side = 'buyer') as new_buyer_count,
    sum(price) filter (where state = 'new' and side = 'buyer') as new_buyer_volume,
    sum(gci) filter (where state = 'new' and side = 'buyer') as new_buyer_gci,
    count(*) filter (where state = 'new' and side = 'seller') as new_seller_count,
    sum(price) filter (where state = 'new' and side = 'seller') as new_seller_volume,
    sum(gci) filter (where state = 'new' and side = 'seller') as new_seller_gci,
    count(*) filter (where state = 'new' and side = 'other') as new_other_count,
    sum(price) filter (where state = 'new' and side = 'other') as new_other_volume,
    sum(gci) filter (where state = 'new' and side = 'other') as new_other_gci,
    count(*) filter (where state = 'pending' and side = 'buyer') as pending_buyer_count,
    sum(price) filter (where state = 'pending' and side = 'buyer') as pending_buyer_volume,
    sum(gci) filter (where state = 'pending' and side = 'buyer') as pending_buyer_gci,
    count(*) filter (where state = 'pending' and side = 'seller') as pending_seller_count,
    sum(price) filter (where state = 'pending' and side = 'seller') as pending_seller_volume,
    sum(gci) filter (where state = 'pending' and side = 'seller') as pending_seller_gci,
    count(*) filter (where state = 'pending' and side = 'other') as pending_other_count,
    sum(price) filter (where state = 'pending' and side = 'other') as pending_other_volume,
    sum(gci) filter (where state = 'pending' and side = 'other') as pending_other_gci,
    count(*) filter (where state = 'closed' and side = 'buyer') as closed_buyer_count,
    sum(price) filter (where state = 'closed' and side = 'buyer') as closed_buyer_volume,
    sum(gci) filter (where state = 'closed' and side = 'buyer') as closed_buyer_gci,
    count(*) filter (where state = 'closed' and side = 'seller') as closed_seller_count,
    sum(price) filter (where state = 'closed' and side = 'seller') as closed_seller_volume,
    sum(gci) filter (where state = 'closed' and side = 'seller') as closed_seller_gci,
    count(*) filter (where state = 'closed' and side = 'other') as closed_other_count,
    sum(price) filter (where state = 'closed' and side = 'other') as closed_other_volume,
    sum(gci) filter (where state = 'closed' and side = 'other') as closed_other_gci,
    count(*) filter (where state = 'terminated' and side = 'buyer') as terminated_buyer_count,
    sum(price) filter (where state = 'terminated' and side = 'buyer') as terminated_buyer_volume,
    sum(gci) filter (where state = 'terminated' and side = 'buyer') as terminated_buyer_gci,
    count(*) filter (where state = 'terminated' and side = 'seller') as terminated_seller_count,
    sum(price) filter (where state = 'terminated' and side = 'seller') as terminated_seller_volume,
    sum(gci) filter (where state = 'terminated' and side = 'seller') as terminated_seller_gci,
    count(*) filter (where state = 'terminated' and side = 'other') as terminated_other_count,
    sum(price) filter (where state = 'terminated' and side = 'other') as terminated_other_volume,
    sum(gci) filter (where state = 'terminated' and side = 'other') as terminated_other_gci,
    avg(price) filter (where state = 'closed') as average_price,
    avg(days) filter (where state = 'closed') as average_days
  from deal group by 1, 2
),
listings as (
  select g.agent_id, date_trunc('month', d.day)::date as month, sum(d.taken) as taken, sum(d.closed) as closed
  from agents g
  join v2.listing l on l.transaction_owner_agent_id = g.agent_id and l.deleted_at is null
  cross join lateral (values (l.listing_date, 1, 0),
    (case when l.closed then (l.closed_at at time zone 'UTC')::date end, 0, 1)) d (day, taken, closed)
  where d.day is not null group by 1, 2
),
network as (
  select g.agent_id, date_trunc('month', d.day)::date as month, sum(d.joined) as joined, sum(d.gone) as gone
  from agents g
  join v2.network_member n on n.agent_id = g.agent_id and n.deleted_at is null
  cross join lateral (values (n.broker_join_date, 1, 0), (n.broker_terminated_date, 0, 1)) d (day, joined, gone)
  where d.day is not null group by 1, 2
),
earned as (
  select g.agent_id, date_trunc('month', c.contribution_date)::date as month, count(*) as number,
    sum(c.amount) as amount, min(c.currency) as currency, max(c.currency) as other_currency
  from agents g
  join v2.contribution c on c.receiving_agent_id = g.agent_id
  where c.deleted_at is null and c.duplicate_of_id is null and c.missed is not true and c.contribution_date is not null
  group by 1, 2
),
paid as (
  select g.agent_id, date_trunc('month', p.payment_date)::date as month, sum(p.amount) as amount,
    min(p.currency) as currency, max(p.currency) as other_currency
  from agents g
  join v2.revshare_payment p on p.agent_id = g.agent_id and p.deleted_at is null
  where p.payment_date is not null group by 1, 2
),
crm as (
  select g.agent_id, date_trunc('month', d.day)::date as month, sum(d.calls) as calls, sum(d.texts) as texts,
    sum(d.events) as events, sum(d.appointments) as appointments, sum(d.new_people) as new_people
  from agents g
  join v2.agent a on a.id = g.agent_id
  join v2.agg_fub_activity_by_agent d on d.user_id = a.user_id and d.deleted_at is null
  group by 1, 2
),
months as (
  select agent_id, month from deals union select agent_id, month from listings
  union select agent_id, month from network union select agent_id, month from earned
  union select agent_id, month from paid union select agent_id, month from crm
),
whole as (
  select d.*, m.agent_id as of_agent, m.month as of_month, l.taken, l.closed, n.joined, n.gone, e.number as earned_count,
    e.amount as earned_amount, p.amount as paid_amount, c.calls, c.texts, c.events, c.appointments, c.new_people,
    least(d.currency, e.currency, p.currency) as first_currency,
    least(d.currency, e.currency, p.currency) is not distinct from
      greatest(d.other_currency, e.other_currency, p.other_currency) as one_currency
  from months m
  left join deals d on d.agent_id = m.agent_id and d.month = m.month
  left join listings l on l.agent_id = m.agent_id and l.month = m.month
  left join network n on n.agent_id = m.agent_id and n.month = m.month
  left join earned e on e.agent_id = m.agent_id and e.month = m.month
  left join paid p on p.agent_id = m.agent_id and p.month = m.month
  left join crm c on c.agent_id = m.agent_id and c.month = m.month
)
select
  of_agent as agent_id,
  extract(year from of_month)::smallint as period_year,
  extract(month from of_month)::smallint as period_month,
  case when one_currency then first_currency end as currency,
  coalesce(new_buyer_count, 0) as new_buyer_count,
  case when one_currency then new_buyer_volume end as new_buyer_volume,
  case when one_currency then new_buyer_gci end as new_buyer_gci,
  coalesce(new_seller_count, 0) as new_seller_count,
  case when one_currency then new_seller_volume end as new_seller_volume,
  case when one_currency then new_seller_gci end as new_seller_gci,
  coalesce(new_other_count, 0) as new_other_count,
  case when one_currency then new_other_volume end as new_other_volume,
  case when one_currency then new_other_gci end as new_other_gci,
  coalesce(pending_buyer_count, 0) as pending_buyer_count,
  case when one_currency then pending_buyer_volume end as pending_buyer_volume,
  case when one_currency then pending_buyer_gci end as pending_buyer_gci,
  coalesce(pending_seller_count, 0) as pending_seller_count,
  case when one_currency then pending_seller_volume end as pending_seller_volume,
  case when one_currency then pending_seller_gci end as pending_seller_gci,
  coalesce(pending_other_count, 0) as pending_other_count,
  case when one_currency then pending_other_volume end as pending_other_volume,
  case when one_currency then pending_other_gci end as pending_other_gci,
  coalesce(closed_buyer_count, 0) as closed_buyer_count,
  case when one_currency then closed_buyer_volume end as closed_buyer_volume,
  case when one_currency then closed_buyer_gci end as closed_buyer_gci,
  coalesce(closed_seller_count, 0) as closed_seller_count,
  case when one_currency then closed_seller_volume end as closed_seller_volume,
  case when one_currency then closed_seller_gci end as closed_seller_gci,
  coalesce(closed_other_count, 0) as closed_other_count,
  case when one_currency then closed_other_volume end as closed_other_volume,
  case when one_currency then closed_other_gci end as closed_other_gci,
  coalesce(terminated_buyer_count, 0) as terminated_buyer_count,
  case when one_currency then terminated_buyer_volume end as terminated_buyer_volume,
  case when one_currency then terminated_buyer_gci end as terminated_buyer_gci,
  coalesce(terminated_seller_count, 0) as terminated_seller_count,
  case when one_currency then terminated_seller_volume end as terminated_seller_volume,
  case when one_currency then terminated_seller_gci end as terminated_seller_gci,
  coalesce(terminated_other_count, 0) as terminated_other_count,
  case when one_currency then terminated_other_volume end as terminated_other_volume,
  case when one_currency then terminated_other_gci end as terminated_other_gci,
  coalesce(taken, 0) as listings_taken,
  coalesce(closed, 0) as listings_closed,
  case when one_currency then round(average_price, 2) end as average_price,
  round(average_days, 4) as average_days_to_close,
  coalesce(joined, 0) as network_joined,
  coalesce(gone, 0) as network_left,
  coalesce(earned_count, 0) as contributions_count,
  case when one_currency then earned_amount end as contributions_earned,
  case when one_currency then paid_amount end as revshare_paid,
  coalesce(calls, 0) as fub_calls,
  coalesce(texts, 0) as fub_texts,
  coalesce(events, 0) as fub_events,
  coalesce(appointments, 0) as fub_appointments,
  coalesce(new_people, 0) as fub_new_people
from whole
