-- Rows whose product user became known (or changed) after they were merged.
-- Only rows that differ come out; everything else stays as it is.
with mine as (
  select distinct a.id, a.user_id as account_user, a.account_id_raw from v2.fub_accounts a
  join v2.credentials c on c.platform = 'fub' and c.account_id = a.account_id_raw::text
  where c.user_id = %(user_id)s
)
select t.fub_account_id, t.appointment_id_raw, coalesce(u.ad_user_id, m.account_user) as user_id, t.source, t.source_updated_at, t.deleted_at
from v2.fub_appointments t
join mine m on m.id = t.fub_account_id
left join v2.fub_users u on u.id = t.fub_user_id
where t.user_id is distinct from coalesce(u.ad_user_id, m.account_user)
