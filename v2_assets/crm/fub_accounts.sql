-- One connected Follow Up Boss account.
-- Who owns it is drawn from all copies of its identity, so it does not matter whose key was read last.
with source as (
  select b.id as staged_id, b.source_id::bigint as account_id_raw, b.payload
  from batch b
),
owners as (
  select s.source_id::bigint as account_id_raw, min((s.payload #>> '{user,id}')::bigint) as fub_owner_id
  from staging.stage_fub_accounts s
  where (s.payload #> '{user,isOwner}') in ('true', '1')
  group by 1
),
holders as (
  -- The owner's connection if there is one, else the oldest.
  select distinct on (c.account_id) c.account_id::bigint as account_id_raw, c.id as credentials_id, c.user_id
  from v2.credentials c
  left join owners o on o.account_id_raw::text = c.account_id
  where c.platform = 'fub' and c.account_id ~ '^[0-9]+$' and c.deleted_at is null
  order by c.account_id, (c.external_user_id = o.fub_owner_id::text) desc nulls last, c.id
)
select
  s.staged_id,
  null::text as fate, null::text as reason, null::jsonb as detail, null::text as waits_for,
  s.account_id_raw,
  true as active,
  ops.blank_null(s.payload #>> '{account,domain}') as host_name,
  o.fub_owner_id,
  h.credentials_id,
  h.user_id
from source s
left join owners o on o.account_id_raw = s.account_id_raw
left join holders h on h.account_id_raw = s.account_id_raw
