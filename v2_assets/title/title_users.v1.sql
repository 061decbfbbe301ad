-- One title user, as V1 knew the person.
-- A person whom a living source tells is left to that source; which user of the product it is, is found by e-mail.
with source as (
  select b.id as staged_id, b.payload as p, ops.v1_raw(b.payload, 'title_user_id_raw') as title_user_id_raw,
    lower(btrim(b.payload ->> 'email')) as email
  from batch b
),
keyed as (
  select s.*, live.id is not null as living, u.id as mine
  from source s
  left join v2.title_users live on live.title_user_id_raw = s.title_user_id_raw and live.source <> 'v1'
  left join v2."user" u on u.email = s.email and u.deleted_at is null
)
select
  staged_id,
  case when living then 'filtered' end as fate,
  case when living then 'living_source' end as reason,
  null::jsonb as detail,
  null::text as waits_for,
  null::timestamptz as source_updated_at,
  title_user_id_raw,
  p ->> 'first_name' as first_name,
  p ->> 'last_name' as last_name,
  coalesce(p ->> 'full_name', nullif(concat_ws(' ', p ->> 'first_name', p ->> 'last_name'), '')) as full_name,
  email,
  mine as user_id
from keyed
