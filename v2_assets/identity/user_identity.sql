-- One name by which a system knows a user.
-- A name that two users claim belongs to the one who connected it first; a connection that is gone names nobody.
with claims as (
  select 'v2' as platform, 'ad_user_id' as kind, u.id::text as external_id, u.id as user_id, 0::bigint as place
  from v2."user" u where u.deleted_at is null
  union all
  select c.platform, 'account_user', c.account_id || '/' || c.external_user_id, c.user_id, c.id
  from v2.credentials c
  where c.verified and c.deleted_at is null and c.account_id is not null and c.external_user_id is not null
  union all
  select c.platform, 'agent', c.external_user_id, c.user_id, c.id
  from v2.credentials c
  where c.platform = 'rezen' and c.verified and c.deleted_at is null and c.external_user_id is not null
  union all
  select 'title', 'title_user', t.title_user_id_raw, t.user_id, 0
  from v2.title_users t where t.user_id is not null and t.deleted_at is null
),
owned as (
  select distinct on (platform, kind, external_id) platform, kind, external_id, user_id
  from claims order by platform, kind, external_id, place
),
mine as (
  select o.* from owned o
  where exists (
    select from claims c where c.user_id = %(user_id)s and c.platform = o.platform and c.kind = o.kind
      and c.external_id = o.external_id)
)
select platform, kind, external_id, user_id, null::timestamptz as deleted_at from mine
union all
select i.platform, i.kind, i.external_id, i.user_id, now()
from v2.user_identity i
where i.user_id = %(user_id)s and i.source = 'derived' and not exists (
  select from owned o where o.platform = i.platform and o.kind = i.kind and o.external_id = i.external_id)
