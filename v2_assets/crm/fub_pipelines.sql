-- One deal pipeline with its stages.
-- The stages stay together as the source gives them: a deal names its stage by name and number.
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
  source_id::bigint as pipeline_id_raw,
  ops.blank_null(payload ->> 'name') as name,
  ops.blank_null(payload ->> 'description') as description,
  ops.whole(payload -> 'orderWeight') as order_weight,
  case when jsonb_typeof(payload -> 'stages') = 'array' then payload -> 'stages' end as stages
from keyed
