-- One group of a Follow Up Boss account.
-- It has no stamp of change: it is read whole and compared.
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
  source_id::bigint as fub_group_id_raw,
  ops.blank_null(payload ->> 'name') as name,
  ops.blank_null(payload ->> 'type') as type,
  ops.blank_null(payload ->> 'distribution') as distribution,
  ops.whole(payload -> 'defaultUserId') as default_user_id,
  ops.whole(payload -> 'defaultPondId') as default_pond_id,
  ops.whole(payload -> 'defaultGroupId') as default_group_id,
  ops.whole(payload -> 'claimWindow') as claim_window,
  ops.flag(payload -> 'isPrimary') as is_primary,
  case when jsonb_typeof(payload -> 'users') = 'array' then payload -> 'users' end as users
from keyed
