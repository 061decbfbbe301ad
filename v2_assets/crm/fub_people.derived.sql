-- Contacts whose product user or connection became known (or changed) after they were merged, or whose texts were read.
-- Only rows that differ are read: the two ends of an index tell whether there are any.
with mine as (
  select a.id, a.user_id, a.credentials_id, (
    select max(y.last_full_at) from ops.sync_state y
    where y.integration = 'fub' and y.entity = 'text_messages'
      and split_part(y.account_ref, '/', 2) = a.account_id_raw::text) as texts_read_at
  from v2.fub_accounts a
  where exists (
    select from v2.credentials c
    where c.platform = 'fub' and c.account_id = a.account_id_raw::text and c.user_id = %(user_id)s)
),
wanted as (
  select u.id as assigned_to_fub_id, u.ad_user_id is null as missing_user, coalesce(u.ad_user_id, m.user_id) as user_id
  from mine m join v2.fub_users u on u.fub_account_id = m.id
),
assigned as materialized (
  select w.* from wanted w
  where (select (t.missing_user, t.user_id) is distinct from (w.missing_user, w.user_id) from v2.fub_people t
         where t.assigned_to_fub_id = w.assigned_to_fub_id order by t.missing_user, t.user_id limit 1)
    or (select (t.missing_user, t.user_id) is distinct from (w.missing_user, w.user_id) from v2.fub_people t
        where t.assigned_to_fub_id = w.assigned_to_fub_id order by t.missing_user desc, t.user_id desc limit 1)
),
unassigned as materialized (
  select m.* from mine m
  where (select t.user_id is distinct from m.user_id from v2.fub_people t
         where t.fub_account_id = m.id and t.assigned_to_fub_id is null order by t.user_id limit 1)
    or (select t.user_id is distinct from m.user_id from v2.fub_people t
        where t.fub_account_id = m.id and t.assigned_to_fub_id is null order by t.user_id desc limit 1)
),
reconnected as materialized (
  select m.* from mine m
  where (select t.credentials_id is distinct from m.credentials_id from v2.fub_people t
         where t.fub_account_id = m.id order by t.credentials_id limit 1)
    or (select t.credentials_id is distinct from m.credentials_id from v2.fub_people t
        where t.fub_account_id = m.id order by t.credentials_id desc limit 1)
),
found as (
  select t.id from assigned a
  join v2.fub_people t on t.assigned_to_fub_id = a.assigned_to_fub_id
    and (t.missing_user, t.user_id) is distinct from (a.missing_user, a.user_id)
  union
  select t.id from unassigned a
  join v2.fub_people t on t.fub_account_id = a.id and t.assigned_to_fub_id is null
    and t.user_id is distinct from a.user_id
  union
  select t.id from reconnected a
  join v2.fub_people t on t.fub_account_id = a.id and t.credentials_id is distinct from a.credentials_id
  union
  select t.id from mine m
  join v2.fub_people t on t.fub_account_id = m.id and not t.sms_fetched and t.created_at <= m.texts_read_at
)
select t.fub_account_id, t.fub_people_id_raw, t.source, t.source_updated_at, t.deleted_at,
  t.assigned_to_fub_id is not null and u.ad_user_id is null as missing_user,
  coalesce(u.ad_user_id, m.user_id) as user_id,
  m.credentials_id,
  t.sms_fetched or coalesce(t.created_at <= m.texts_read_at, false) as sms_fetched
from found f
join v2.fub_people t on t.id = f.id
join mine m on m.id = t.fub_account_id
left join v2.fub_users u on u.id = t.assigned_to_fub_id
