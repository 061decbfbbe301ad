-- One leadership of a team.
-- The source gives no date for it, so it counts from the day the leader joined the brokerage.
select m.team_id, m.agent_id, a.join_date as effective_start_date, m.status, m.active, 'rezen' as source
from v2.team_members m
join v2.agent a on a.id = m.agent_id
where m.is_leader and m.deleted_at is null
  and m.team_id in (select x.team_id from v2.team_members x join v2.agent y on y.id = x.agent_id
                    where y.user_id = %(user_id)s)
