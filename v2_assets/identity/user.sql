-- One account of the product: which agent, team and brokerage it is, once the sync has brought them.
-- Everything else of a user is the product's own and not touched; a team is only filled in where none is set.
with me as (
  select u.id, u.email, u.agent_id, u.team_id, u.brokerage_id, u.source, u.source_updated_at, u.deleted_at
  from v2."user" u where u.id = %(user_id)s
),
agents as (
  select a.id, a.brokerage_id from v2.agent a where a.user_id = %(user_id)s and not a.is_stub order by a.id limit 1
),
teams as (
  select m.team_id from v2.team_members m
  join agents a on a.id = m.agent_id
  join v2.team t on t.id = m.team_id
  where m.deleted_at is null order by m.is_leader desc nulls last, t.team_id_raw limit 1
)
select me.email,
  coalesce((select id from agents), me.agent_id) as agent_id,
  coalesce(me.team_id, (select team_id from teams)) as team_id,
  coalesce((select brokerage_id from agents), me.brokerage_id) as brokerage_id,
  me.source, me.source_updated_at, me.deleted_at
from me
