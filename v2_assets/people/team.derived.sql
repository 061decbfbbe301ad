-- Teams whose owner became known (or changed): the leader on the roster.
-- Of several leaders the one with the smallest id at the source. Only rows that differ come out.
with mine as (
  select distinct s.payload #>> '{_v2,team_id}' as team_id_raw
  from staging.stage_rezen_team_members s where s.user_id = %(user_id)s
),
keyed as (
  select t.team_id_raw, t.team_owner_agent_id, t.source, t.source_updated_at, t.deleted_at,
    (select m.agent_id from v2.team_members m
     where m.team_id = t.id and m.is_leader and m.deleted_at is null order by m.agent_id_raw limit 1) as owner
  from mine join v2.team t on t.team_id_raw = mine.team_id_raw
)
select team_id_raw, owner as team_owner_agent_id, source, source_updated_at, deleted_at
from keyed
where team_owner_agent_id is distinct from owner
