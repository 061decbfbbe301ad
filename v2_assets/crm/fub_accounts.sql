-- One connected Follow Up Boss account.
-- Who owns it is drawn from all copies of its identity, so it does not matter whose key was read last.
with source as (
  select b.id as staged_id, b.source_id, b.payload
  from batch b
),
owners as (
  -- The flag is not documented, but seen; the owner's e-mail is documented.
  select s.source_id as account_raw, min(ops.whole(s.payload #> '{user,id}')) as fub_owner_id
  from staging.stage_fub_accounts s
  where s.status <> 'rejected' and s.payload #>> '{user,id}' ~ '^[0-9]{1,18}$'
    and (s.payload #> '{user,isOwner}' in ('true', '1')
      or lower(s.payload #>> '{user,email}') = lower(ops.blank_null(s.payload #>> '{account,owner,email}')))
  group by 1
),
holders as (
  -- The owner's connection if there is one, else that of the first user of the product.
  select distinct on (c.account_id) c.account_id as account_raw, c.id as credentials_id, c.user_id
  from v2.credentials c
  left join owners o on o.account_raw = c.account_id
  where c.platform = 'fub' and c.deleted_at is null
  order by c.account_id, (c.external_user_id = o.fub_owner_id::text) desc nulls last, c.user_id, c.id
)
select
  s.staged_id,
  null::text as fate, null::text as reason, null::jsonb as detail, null::text as waits_for,
  s.source_id::bigint as account_id_raw,
  true as active,
  ops.blank_null(s.payload #>> '{account,domain}') as host_name,
  o.fub_owner_id,
  h.credentials_id,
  h.user_id
from source s
left join owners o on o.account_raw = s.source_id
left join holders h on h.account_raw = s.source_id
