-- One user of a Follow Up Boss account, deleted ones too.
-- ad_user_id is the product's user whose key belongs to this CRM user. Nothing hangs on a role: an unknown one is kept.
with source as (
  select b.id as staged_id, b.payload, b.source_id, split_part(b.account_ref, '/', 2) as account_raw
  from batch b
),
keyed as (
  select s.*, a.id as fub_account_id, r.value as role,
    (select min(c.user_id) from v2.credentials c
     where c.platform = 'fub' and c.account_id = s.account_raw and c.external_user_id = s.source_id
       and c.deleted_at is null) as ad_user_id
  from source s
  left join v2.fub_accounts a on a.account_id_raw = s.account_raw::bigint
  left join ops.code_map r on r.code_set = 'user_role' and r.source = 'fub' and r.raw = s.payload ->> 'role'
)
select
  staged_id,
  case when fub_account_id is null then 'deferred' end as fate,
  case when fub_account_id is null then 'missing_parent' end as reason,
  null::jsonb as detail,
  ops.unknown_word('role', 'user_role', ops.blank_null(payload ->> 'role'), role) as words,
  case when fub_account_id is null then 'fub_accounts/' || account_raw end as waits_for,
  fub_account_id,
  source_id::bigint as fub_user_id_raw,
  ops.blank_null(payload ->> 'name') as name,
  ops.blank_null(payload ->> 'firstName') as first_name,
  ops.blank_null(payload ->> 'lastName') as last_name,
  lower(ops.blank_null(payload ->> 'email')) as email,
  ops.blank_null(payload ->> 'phone') as phone,
  coalesce(role, ops.blank_null(payload ->> 'role')) as role,
  ops.blank_null(payload ->> 'status') as status,
  ops.flag(payload -> 'isOwner') as is_owner,
  case when jsonb_typeof(payload -> 'picture') = 'object' then payload -> 'picture' end as picture,
  ad_user_id
from keyed
