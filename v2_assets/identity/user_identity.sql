-- One name by which a system knows a user.
-- A name that two users claim belongs to the one who connected it first.
with names as (
  select 'v2' as platform, 'ad_user_id' as kind, u.id::text as external_id from v2."user" u where u.id = %(user_id)s
  union
  select c.platform, 'account_user', c.account_id || '/' || c.external_user_id from v2.credentials c
  where c.user_id = %(user_id)s and c.verified and c.external_user_id is not null and c.deleted_at is null
  union
  select 'rezen', 'agent', c.external_user_id from v2.credentials c
  where c.user_id = %(user_id)s and c.platform = 'rezen' and c.verified and c.external_user_id is not null
    and c.deleted_at is null
)
select n.platform, n.kind, n.external_id,
  coalesce(
    (select c.user_id from v2.credentials c
     where c.platform = n.platform and c.verified and c.deleted_at is null
       and ((n.kind = 'account_user' and c.account_id || '/' || c.external_user_id = n.external_id)
         or (n.kind = 'agent' and c.external_user_id = n.external_id))
     order by c.id limit 1),
    %(user_id)s) as user_id
from names n
