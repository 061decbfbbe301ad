-- One leadership of a team, held now or before.
-- The source does not say since when, so there is one row per team and leader, without a first day.
with mine as (
  select distinct t.id
  from staging.stage_rezen_team_members s
  join v2.team t on t.team_id_raw = s.payload #>> '{_v2,team_id}'
  where s.user_id = %(user_id)s
),
led as (
  select m.team_id, m.agent_id, m.status, m.source from v2.team_members m
  join mine on mine.id = m.team_id
  where m.is_leader and m.deleted_at is null
)
select team_id, agent_id, null::date as effective_start_date, status, true as active, source from led
union all
select l.team_id, l.agent_id, null, l.status, false, l.source
from v2.leader l
join mine on mine.id = l.team_id
where l.effective_start_date is null and not exists (
  select from led where led.team_id = l.team_id and led.agent_id = l.agent_id)
