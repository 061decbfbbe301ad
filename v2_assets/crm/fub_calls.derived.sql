-- Rows whose product user became known (or changed) after they were merged.
-- Only rows that differ are read: the two ends of an index tell whether a CRM user has any.
with mine as (
  select a.id, a.user_id from v2.fub_accounts a
  where exists (
    select from v2.credentials c
    where c.platform = 'fub' and c.account_id = a.account_id_raw::text and c.user_id = %(user_id)s)
),
wanted as (
  select u.id as fub_user_id, coalesce(u.ad_user_id, m.user_id) as user_id
  from mine m join v2.fub_users u on u.fub_account_id = m.id
),
stale as materialized (
  select w.* from wanted w
  where (select t.user_id is distinct from w.user_id from v2.fub_calls t
         where t.fub_user_id = w.fub_user_id order by t.user_id limit 1)
    or (select t.user_id is distinct from w.user_id from v2.fub_calls t
        where t.fub_user_id = w.fub_user_id order by t.user_id desc limit 1)
),
found as (
  select t.id, s.user_id from stale s
  join v2.fub_calls t on t.fub_user_id = s.fub_user_id and t.user_id is distinct from s.user_id
  union all
  -- Rows of no CRM user are the account's.
  select t.id, m.user_id from mine m
  join v2.fub_calls t on t.fub_account_id = m.id and t.fub_user_id is null and t.user_id is distinct from m.user_id
)
select t.fub_account_id, t.call_id, f.user_id, t.source, t.source_updated_at, t.deleted_at
from found f
join v2.fub_calls t on t.id = f.id
