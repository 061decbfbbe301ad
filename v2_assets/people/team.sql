-- One team.
-- Its owner is the leader on the staged roster; the roster itself becomes team_members.
with source as (
  select b.id as staged_id, b.payload as p, b.source_id as team_id_raw from batch b
),
leaders as (
  select distinct on (s.team_id_raw) s.team_id_raw, a.id as agent_id
  from source s
  join staging.stage_rezen_team_members m on m.payload #>> '{_v2,team_id}' = s.team_id_raw
  join v2.agent a on a.agent_id_raw = split_part(m.source_id, ':', 2)
  where m.payload -> 'roles' ? 'LEADER' and m.missing_since is null
  order by s.team_id_raw, a.id
),
keyed as (
  select s.*, ty.value as team_type, st.value as status, l.agent_id as owner,
    case when ops.blank_null(p ->> 'type') is not null and ty.value is null then 'type'
         when ops.blank_null(p ->> 'status') is not null and st.value is null then 'status' end as unknown
  from source s
  left join ops.code_map ty on ty.code_set = 'team_type' and ty.source = 'rezen' and ty.raw = p ->> 'type'
  left join ops.code_map st on st.code_set = 'team_status' and st.source = 'rezen' and st.raw = p ->> 'status'
  left join leaders l on l.team_id_raw = s.team_id_raw
)
select
  staged_id,
  case when unknown is not null then 'rejected' end as fate,
  case when unknown is not null then 'unknown_code' end as reason,
  case when unknown is not null
       then jsonb_build_object('field', unknown, 'code_set', 'team_' || unknown, 'value', p ->> unknown) end as detail,
  null::text as waits_for,
  team_id_raw,
  ops.blank_null(p ->> 'name') as team_name,
  team_type,
  status,
  status = 'Active' as active,
  ops.whole(p #> '{config,maxTeammates}') as max_teammates,
  ops.whole(p #> '{config,maxLeaders}') as max_leaders,
  ops.blank_null(p #>> '{config,id}') as config_id,
  ops.blank_null(p #>> '{config,commissionPlanId}') as commission_plan_id,
  ops.blank_null(p ->> 'logo') as logo,
  owner as team_owner_agent_id
from keyed
