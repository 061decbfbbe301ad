-- The split of one agent.
-- An agent on several teams has several: the team with the smallest id counts, whoever's sync brought it.
with mine as (
  select distinct m.agent_id
  from staging.stage_rezen_team_members s
  join v2.team t on t.team_id_raw = s.payload #>> '{_v2,team_id}'
  join v2.team_members m on m.team_id = t.id
    and m.agent_id_raw = substr(s.source_id, length(s.payload #>> '{_v2,team_id}') + 2)
  where s.user_id = %(user_id)s
)
-- The staged row that became the seat holds what the seat's own columns do not say.
select distinct on (m.agent_id)
  m.agent_id,
  ops.percent(s.payload -> 'leaderSplit') as leader_split,
  ops.percent(s.payload -> 'memberCommissionSplit') as member_commission_split,
  m.source
from mine
join v2.team_members m on m.agent_id = mine.agent_id and m.deleted_at is null
join v2.team t on t.id = m.team_id
join staging.stage_rezen_team_members s on s.v2_id = m.id and s.status = 'processed'
order by m.agent_id, t.team_id_raw, s.missed_sweeps, s.id
