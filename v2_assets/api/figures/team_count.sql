-- One team and who works in it now.
-- Leaders, directors and mentors are the roles that are held, not the marks on the roster.
with seat as (
  select m.team_id, count(*) as members from v2.team_members m
  where m.active is not false and m.deleted_at is null group by 1
),
leads as (select r.team_id, count(distinct r.agent_id) as n from v2.leader r
  where r.active is not false and r.deleted_at is null group by 1),
directs as (select r.team_id, count(distinct r.agent_id) as n from v2.director r
  where r.active is not false and r.deleted_at is null group by 1),
mentors as (select r.team_id, count(distinct r.agent_id) as n from v2.mentor r
  where r.active is not false and r.deleted_at is null group by 1)
select s.team_id, s.members, coalesce(l.n, 0) as leaders, coalesce(d.n, 0) as directors, coalesce(m.n, 0) as mentors
from seat s
left join leads l on l.team_id = s.team_id
left join directs d on d.team_id = s.team_id
left join mentors m on m.team_id = s.team_id
order by s.team_id
