-- Agents whose user, team or brokerage became known (or changed) after they were merged.
-- Of several teams the one with the smallest id at the source counts. Only rows that differ come out.
with seats as (
  -- Everybody on a roster that this user's syncs have read.
  select distinct substr(s.source_id, length(s.payload #>> '{_v2,team_id}') + 2) as agent_id_raw
  from staging.stage_rezen_team_members s where s.user_id = %(user_id)s
),
mine as (
  select a.id, a.agent_id_raw, a.user_id, a.team_id, a.active_on_team, a.brokerage_id, a.is_stub, a.source,
    a.source_updated_at, a.deleted_at
  from v2.agent a
  where a.agent_id_raw in (select agent_id_raw from seats)
    or a.agent_id_raw in (select c.external_user_id from v2.credentials c
                          where c.user_id = %(user_id)s and c.platform = 'rezen')
),
keyed as (
  select m.*, cn.user_id as new_user_id, br.id as the_brokerage, tm.known, tm.team as new_team_id
  from mine m
  left join (
    select c.external_user_id, min(c.user_id) as user_id from v2.credentials c
    where c.platform = 'rezen' and c.verified and c.deleted_at is null group by c.external_user_id
  ) cn on cn.external_user_id = m.agent_id_raw
  left join v2.brokerage br on br.name = 'The Real Brokerage'
  left join lateral (
    select true as known, (array_agg(t.id order by t.team_id_raw) filter (where x.deleted_at is null))[1] as team
    from v2.team_members x join v2.team t on t.id = x.team_id
    where x.agent_id = m.id having count(*) > 0
  ) tm on true
),
fresh as (
  select k.*,
    case when known then new_team_id else team_id end as team,
    case when known then new_team_id is not null else active_on_team end as on_team,
    case when is_stub then brokerage_id else coalesce(brokerage_id, the_brokerage) end as brokerage
  from keyed k
)
select agent_id_raw, new_user_id as user_id, team as team_id, on_team as active_on_team, brokerage as brokerage_id,
  is_stub, source, source_updated_at, deleted_at
from fresh
where (user_id, team_id, active_on_team, brokerage_id) is distinct from (new_user_id, team, on_team, brokerage)
