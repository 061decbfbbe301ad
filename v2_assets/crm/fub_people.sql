-- One contact of a Follow Up Boss account, the trash included.
-- user_id is the product's user to whom the contact is assigned, else the account's: never whoever read it.
with source as (
  select b.id as staged_id, b.user_id as reader, b.payload, b.source_id, b.account_ref,
    split_part(b.account_ref, '/', 2) as account_raw
  from batch b
),
cleaned as (
  select s.*,
    nullif(ops.whole(payload -> 'stageId'), 0) as stage_raw,
    nullif(greatest(ops.whole(payload -> 'assignedUserId'), 0), 0) as assigned_raw,
    case when jsonb_typeof(payload -> 'emails') = 'array' then payload -> 'emails' else '[]' end as emails,
    case when jsonb_typeof(payload -> 'phones') = 'array' then payload -> 'phones' else '[]' end as phones,
    case when jsonb_typeof(payload -> 'addresses') = 'array' then payload -> 'addresses' else '[]' end as addresses,
    case when jsonb_typeof(payload -> 'tags') = 'array' then payload -> 'tags' else '[]' end as tags
  from source s
),
keyed as (
  select c.*, a.id as fub_account_id, a.user_id as account_user, a.credentials_id,
    st.id as stage_id_v2, u.id as assigned_to_fub_id, u.ad_user_id,
    case
      when a.id is null then 'fub_accounts/' || c.account_raw
      when c.stage_raw is not null and st.id is null then 'fub_stages/' || a.id || '/' || c.stage_raw
      when c.assigned_raw is not null and u.id is null then 'fub_users/' || a.id || '/' || c.assigned_raw
    end as waits_for
  from cleaned c
  left join v2.fub_accounts a on a.account_id_raw = c.account_raw::bigint
  left join v2.fub_stages st on st.fub_account_id = a.id and st.fub_stage_id_raw = c.stage_raw
  left join v2.fub_users u on u.fub_account_id = a.id and u.fub_user_id_raw = c.assigned_raw
)
select
  k.staged_id,
  case when waits_for is not null then 'deferred' end as fate,
  case when waits_for is not null then 'missing_parent' end as reason,
  null::jsonb as detail,
  waits_for,
  case when reader = account_user then 1 else 0 end as rank,
  fub_account_id,
  source_id::bigint as fub_people_id_raw,
  ops.blank_null(payload ->> 'name') as people_name,
  ops.blank_null(payload ->> 'firstName') as first_name,
  ops.blank_null(payload ->> 'lastName') as last_name,
  ops.blank_null(payload ->> 'type') as type,
  emails, phones, addresses,
  (select lower(btrim(e ->> 'value')) from jsonb_array_elements(emails) with ordinality x(e, n)
   where ops.blank_null(e ->> 'value') is not null
   order by ops.flag(e -> 'isPrimary') desc nulls last, n limit 1) as email,
  (select coalesce(ops.blank_null(p ->> 'normalized'), regexp_replace(p ->> 'value', '[^0-9+]', '', 'g'))
   from jsonb_array_elements(phones) with ordinality x(p, n)
   where ops.blank_null(p ->> 'normalized') is not null or p ->> 'value' ~ '[0-9]'
   order by ops.flag(p -> 'isPrimary') desc nulls last, n limit 1) as phone,
  ops.blank_null(payload ->> 'stage') as stage_name,
  ops.blank_null(nullif(payload ->> 'source', '<unspecified>')) as source_name,
  ops.blank_null(payload ->> 'sourceId') as source_id,
  ops.blank_null(payload ->> 'sourceUrl') as source_url,
  ops.blank_null(payload ->> 'createdVia') as created_via,
  ops.money(payload -> 'price') as price,
  ops.blank_null(payload ->> 'dealStatus') as deal_status,
  ops.money(payload -> 'dealPrice') as deal_price,
  ops.blank_null(payload ->> 'dealStage') as deal_stage,
  ops.blank_null(payload ->> 'dealName') as deal_name,
  ops.day(payload ->> 'dealCloseDate') as deal_close_date,
  -- A flag, also as 0 and 1; some accounts count the contacts made.
  case jsonb_typeof(payload -> 'contacted') when 'boolean' then ops.flag(payload -> 'contacted')
    else ops.whole(payload -> 'contacted') > 0 end as contacted,
  ops.whole(payload -> 'websiteVisits') as website_visits,
  ops.flag(payload -> 'claimed') as claimed,
  ops.instant(payload ->> 'lastActivity') as last_activity,
  ops.blank_null(payload ->> 'url') as url,
  array(select coalesce(t ->> 'name', t #>> '{}') from jsonb_array_elements(k.tags) t) as tags,
  (select jsonb_object_agg(key, value) from jsonb_each(payload) where key like 'custom%') as custom_fields,
  (assigned_raw is not null and ad_user_id is null) as missing_user,
  ops.instant(payload ->> 'created') as fub_created_at,
  ops.instant(payload ->> 'updated') as fub_updated_at,
  stage_id_v2 as stage_id,
  assigned_to_fub_id,
  coalesce(ad_user_id, account_user) as user_id,
  credentials_id
from keyed k
