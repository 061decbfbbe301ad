-- The split of one agent.
-- An agent on several teams has several: the team with the smallest id counts, whoever's sync brought it.
with mine as (
  select distinct split_part(s.source_id, ':', 2) as agent_id_raw
  from staging.stage_rezen_team_members s where s.user_id = %(user_id)s and s.status in ('processed', 'duplicate')
)
select distinct on (a.id)
  a.id as agent_id,
  ops.percent(s.payload -> 'leaderSplit') as leader_split,
  ops.percent(s.payload -> 'memberCommissionSplit') as member_commission_split,
  'rezen' as source
from mine
join v2.agent a on a.agent_id_raw = mine.agent_id_raw
join staging.stage_rezen_team_members s on split_part(s.source_id, ':', 2) = mine.agent_id_raw
  and s.status = 'processed' and s.missing_since is null
order by a.id, split_part(s.source_id, ':', 1), s.account_ref
