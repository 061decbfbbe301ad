-- The roles of one user, as V1 kept them.
-- What the product wrote itself is left alone.
with source as (
  select b.id as staged_id, b.payload as p, b.account_ref from batch b
),
keyed as (
  select s.*, i.user_id as owner, t.id as team, s_director.v2_id as director, s_leader.v2_id as leader,
    s_mentor.v2_id as mentor, s_director.status as director_fate, s_leader.status as leader_fate,
    s_mentor.status as mentor_fate,
    ops.v1_raw(st.payload, 'team_id_raw') as team_raw,
    exists (select from v2.user_roles live where live.user_id = i.user_id and live.source <> 'v1') as living
  from source s
  left join v2.user_identity i on i.platform = 'v1' and i.kind = 'user' and i.external_id = p ->> 'user_id'
    and i.deleted_at is null
  left join staging.stage_xano_team st on st.account_ref = s.account_ref and st.source_id = p ->> 'team_id'
  left join v2.team t on t.team_id_raw = ops.v1_raw(st.payload, 'team_id_raw')
  left join staging.stage_xano_director s_director on s_director.account_ref = s.account_ref
    and s_director.source_id = p ->> 'director_id'
  left join staging.stage_xano_leader s_leader on s_leader.account_ref = s.account_ref
    and s_leader.source_id = p ->> 'leader_id'
  left join staging.stage_xano_mentor s_mentor on s_mentor.account_ref = s.account_ref
    and s_mentor.source_id = p ->> 'mentor_id'
),
judged as (
  select k.*,
    case when p ->> 'user_id' is null then 'rejected' when living then 'filtered'
         when waits_for is not null then 'deferred' end as fate
  from (select keyed.*,
    case
      -- A role that is told by another source, or twice, has no row of V1's to point to.
      when owner is null then 'user_identity/v1/user/' || (p ->> 'user_id')
      when team is null and p ->> 'team_id' is not null
        then 'team/' || coalesce(team_raw, 'v1:' || (p ->> 'team_id'))
      when director is null and p ->> 'director_id' is not null and coalesce(director_fate, '') not in ('filtered', 'duplicate')
        then 'director/v1:' || (p ->> 'director_id')
      when leader is null and p ->> 'leader_id' is not null and coalesce(leader_fate, '') not in ('filtered', 'duplicate')
        then 'leader/v1:' || (p ->> 'leader_id')
      when mentor is null and p ->> 'mentor_id' is not null and coalesce(mentor_fate, '') not in ('filtered', 'duplicate')
        then 'mentor/v1:' || (p ->> 'mentor_id')
    end as waits_for from keyed) k
)
select
  staged_id,
  fate,
  case fate when 'rejected' then 'missing_key' when 'filtered' then 'living_source' when 'deferred' then 'missing_parent'
  end as reason,
  case when fate = 'rejected' then jsonb_build_object('field', 'user_id') end as detail,
  waits_for,
  owner as user_id,
  p ->> 'role' as role,
  p ->> 'account_type' as account_type,
  (p ->> 'is_agent')::boolean as is_agent,
  (p ->> 'is_account_admin')::boolean as is_account_admin,
  (p ->> 'is_individual')::boolean as is_individual,
  (p ->> 'is_on_team')::boolean as is_on_team,
  (p ->> 'is_team_owner')::boolean as is_team_owner,
  (p ->> 'is_director')::boolean as is_director,
  (p ->> 'is_leader')::boolean as is_leader,
  (p ->> 'is_mentor')::boolean as is_mentor,
  director as director_id,
  leader as leader_id,
  mentor as mentor_id,
  team as team_id
from judged
