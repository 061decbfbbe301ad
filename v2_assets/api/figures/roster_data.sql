-- One seat of the roster as it is now.
-- An agent whose work was not counted yet has none of the counts.
select a.id as agent_id, m.team_id, a.display_name, coalesce(m.avatar, a.avatar) as avatar, a.agent_status, m.seat,
  m.team_join_date, p.all_transaction_count, p.pending_transaction_count, p.closed_transaction_count,
  p.active_listing_count, p.size_of_network, c.capped, c.brokerage_cap, c.brokerage_cap_paid
from v2.team_members m
join v2.agent a on a.id = m.agent_id and a.deleted_at is null
left join v2.agent_performance p on p.agent_id = a.id and p.deleted_at is null
left join v2.agent_cap_data c on c.agent_id = a.id and c.deleted_at is null
where m.active is not false and m.deleted_at is null
order by a.display_name, a.id
