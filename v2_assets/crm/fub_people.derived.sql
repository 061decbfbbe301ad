-- Contacts whose product user became known after they were merged, or whose texts have been read since.
-- Only rows that differ come out; everything else stays as it is.
with mine as (
  select distinct a.id, a.user_id as account_user, a.account_id_raw from v2.fub_accounts a
  join v2.credentials c on c.platform = 'fub' and c.account_id = a.account_id_raw::text
  where c.user_id = %(user_id)s
)
select t.fub_account_id, t.fub_people_id_raw, coalesce(u.ad_user_id, m.account_user) as user_id, t.source, t.source_updated_at, t.deleted_at,
  (t.assigned_to_fub_id is not null and u.ad_user_id is null) as missing_user,
  t.sms_fetched or t.created_at <= f.read_at as sms_fetched
from v2.fub_people t
join mine m on m.id = t.fub_account_id
left join v2.fub_users u on u.id = t.assigned_to_fub_id
left join lateral (
  select max(y.last_full_at) as read_at from ops.sync_state y
  where y.integration = 'fub' and y.entity = 'text_messages'
    and split_part(y.account_ref, '/', 2) = m.account_id_raw::text
) f on true
where t.user_id is distinct from coalesce(u.ad_user_id, m.account_user)
  or t.missing_user <> (t.assigned_to_fub_id is not null and u.ad_user_id is null)
  or (not t.sms_fetched and t.created_at <= f.read_at)
