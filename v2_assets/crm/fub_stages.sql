-- One stage a contact can be in.
-- Stages of deals are in fub_pipelines; these are the contacts' own.
with source as (
  select b.id as staged_id, b.payload, b.source_id, split_part(b.account_ref, '/', 2) as account_raw
  from batch b
),
keyed as (
  select s.*, a.id as fub_account_id
  from source s
  left join v2.fub_accounts a on a.account_id_raw = s.account_raw::bigint
)
select
  staged_id,
  case when fub_account_id is null then 'deferred' end as fate,
  case when fub_account_id is null then 'missing_parent' end as reason,
  null::jsonb as detail,
  case when fub_account_id is null then 'fub_accounts/' || account_raw end as waits_for,
  fub_account_id,
  source_id::bigint as fub_stage_id_raw,
  ops.blank_null(payload ->> 'name') as name,
  ops.whole(payload -> 'orderWeight') as order_weight,
  ops.flag(payload -> 'isProtected') as is_protected,
  ops.whole(payload -> 'peopleCount') as people_count
from keyed
