-- CRM users whose product user became known (or changed) after they were merged.
-- Only rows that differ come out; everything but ad_user_id stays as it is.
with mine as (
  select a.id, a.account_id_raw from v2.fub_accounts a
  join v2.credentials c on c.platform = 'fub' and c.account_id = a.account_id_raw::text
  where c.user_id = %(user_id)s
)
select u.fub_account_id, u.fub_user_id_raw, min(c.user_id) as ad_user_id, u.source, u.source_updated_at, u.deleted_at
from v2.fub_users u
join mine m on m.id = u.fub_account_id
join v2.credentials c on c.platform = 'fub' and c.account_id = m.account_id_raw::text
  and c.external_user_id = u.fub_user_id_raw::text and c.deleted_at is null
group by u.id
having u.ad_user_id is distinct from min(c.user_id)
