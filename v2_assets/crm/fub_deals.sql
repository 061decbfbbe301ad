-- One CRM deal, archived and deleted ones too.
-- The source has no stamp of change; a deal in status Deleted is deleted here as well.
with source as (
  select b.id as staged_id, b.user_id as reader, b.payload, b.source_id, split_part(b.account_ref, '/', 2) as account_raw
  from batch b
),
cleaned as (
  select s.*,
    nullif(greatest(ops.whole(payload -> 'pipelineId'), 0), 0) as pipeline_raw,
    nullif(greatest(ops.whole(payload #> '{people,0,id}'), 0), 0) as person_1,
    nullif(greatest(ops.whole(payload #> '{people,1,id}'), 0), 0) as person_2,
    nullif(greatest(ops.whole(payload #> '{users,0,id}'), 0), 0) as user_1,
    nullif(greatest(ops.whole(payload #> '{users,1,id}'), 0), 0) as user_2,
    ops.blank_null(payload ->> 'status') as status_raw
  from source s
),
keyed as (
  select c.*, a.id as fub_account_id, a.user_id as account_user, st.value as status,
    pl.id as pipeline_id, coalesce(ops.blank_null(c.payload ->> 'pipelineName'), pl.name) as pipeline_name,
    p1.id as primary_person_id, p2.id as secondary_person_id,
    u1.id as primary_fub_user_id, u2.id as secondary_fub_user_id, u1.ad_user_id,
    case
      when a.id is null then 'fub_accounts/' || c.account_raw
      when c.pipeline_raw is not null and pl.id is null then 'fub_pipelines/' || a.id || '/' || c.pipeline_raw
      when c.person_1 is not null and p1.id is null then 'fub_people/' || a.id || '/' || c.person_1
      when c.person_2 is not null and p2.id is null then 'fub_people/' || a.id || '/' || c.person_2
      when c.user_1 is not null and u1.id is null then 'fub_users/' || a.id || '/' || c.user_1
      when c.user_2 is not null and u2.id is null then 'fub_users/' || a.id || '/' || c.user_2
    end as waits_for
  from cleaned c
  left join v2.fub_accounts a on a.account_id_raw = c.account_raw::bigint
  left join ops.code_map st on st.code_set = 'deal_status' and st.source = 'fub' and st.raw = c.status_raw
  left join v2.fub_pipelines pl on pl.fub_account_id = a.id and pl.pipeline_id_raw = c.pipeline_raw
  left join v2.fub_people p1 on p1.fub_account_id = a.id and p1.fub_people_id_raw = c.person_1
  left join v2.fub_people p2 on p2.fub_account_id = a.id and p2.fub_people_id_raw = c.person_2
  left join v2.fub_users u1 on u1.fub_account_id = a.id and u1.fub_user_id_raw = c.user_1
  left join v2.fub_users u2 on u2.fub_account_id = a.id and u2.fub_user_id_raw = c.user_2
)
select
  staged_id,
  case when waits_for is not null then 'deferred' end as fate,
  case when waits_for is not null then 'missing_parent' end as reason,
  null::jsonb as detail,
  ops.unknown_word('status', 'deal_status', status_raw, status) as words,
  waits_for,
  case when reader = account_user then 1 else 0 end as rank,
  fub_account_id,
  source_id::bigint as fub_deal_id,
  ops.blank_null(payload ->> 'name') as deal_name,
  ops.blank_null(payload ->> 'type') as type,
  status,
  ops.money(payload -> 'price') as price,
  ops.blank_null(payload ->> 'description') as description,
  ops.day(payload ->> 'projectedCloseDate') as projected_close_date,
  pipeline_name,
  ops.whole(payload -> 'stageId') as stage_id,
  ops.blank_null(payload ->> 'stageName') as stage_name,
  ops.instant(payload ->> 'enteredStageAt') as entered_stage_at,
  ops.money(payload -> 'commissionValue') as commission_value,
  ops.money(payload -> 'agentCommission') as agent_commission,
  ops.money(payload -> 'teamCommission') as team_commission,
  (ops.day(payload ->> 'projectedCloseDate') - ops.day(payload ->> 'createdAt'))::bigint as time_to_close,
  case when jsonb_typeof(payload -> 'people') = 'array' then payload -> 'people' end as people,
  case when jsonb_typeof(payload -> 'users') = 'array' then payload -> 'users' end as fub_users,
  ops.instant(payload ->> 'createdAt') as fub_created_at,
  pipeline_id,
  primary_person_id, secondary_person_id, primary_fub_user_id, secondary_fub_user_id,
  coalesce(ad_user_id, account_user) as ad_user_id,
  case when status_raw = 'Deleted' then now() end as deleted_at
from keyed
