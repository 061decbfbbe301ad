-- One team.
-- Its record does not say who leads it; that is read off the roster afterwards (team.derived.sql).
with source as (
  select b.id as staged_id, b.payload as p, b.source_id as team_id_raw from batch b
),
cleaned as (
  select s.*, ops.code(coalesce(ops.first_of(p, 'type', 'teamType'), p #> '{config,teamType}')) as type_raw,
    ops.code(p -> 'status') as status_raw
  from source s
),
keyed as (
  select c.*, ty.value as team_type, st.value as status,
    ops.unknown_word('type', 'team_type', c.type_raw, ty.value)
      || ops.unknown_word('status', 'team_status', c.status_raw, st.value) as words
  from cleaned c
  left join ops.code_map ty on ty.code_set = 'team_type' and ty.source = 'rezen' and ty.raw = c.type_raw
  left join ops.code_map st on st.code_set = 'team_status' and st.source = 'rezen' and st.raw = c.status_raw
)
select
  staged_id,
  null::text as fate,
  null::text as reason,
  null::jsonb as detail,
  words,
  null::text as waits_for,
  team_id_raw,
  ops.first_of(p, 'name', 'teamName') #>> '{}' as team_name,
  team_type,
  status = 'Active' as active,
  status,
  ops.whole(p #> '{config,maxTeammates}') as max_teammates,
  ops.whole(p #> '{config,maxLeaders}') as max_leaders,
  ops.blank_null(p #>> '{config,id}') as config_id,
  ops.blank_null(p #>> '{config,commissionPlanId}') as commission_plan_id,
  ops.first_of(p, 'logo', 'logoUrl') #>> '{}' as logo
from keyed
