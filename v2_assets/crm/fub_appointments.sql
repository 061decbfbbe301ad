-- One appointment.
-- The contact and the user are the first of each among the invitees; -1 as its maker is the system, who has no name.
with source as (
  select b.id as staged_id, b.user_id as reader, b.payload, b.source_id, split_part(b.account_ref, '/', 2) as account_raw
  from batch b
),
cleaned as (
  select s.*,
    (select ops.whole(i -> 'personId') from jsonb_array_elements(guests) with ordinality x(i, n)
     where ops.whole(i -> 'personId') > 0 order by n limit 1) as person_raw,
    (select ops.whole(i -> 'userId') from jsonb_array_elements(guests) with ordinality x(i, n)
     where ops.whole(i -> 'userId') > 0 order by n limit 1) as user_raw,
    ops.whole(payload -> 'createdById') as maker_raw,
    ops.whole(payload -> 'updatedById') as changer_raw
  from source s
  cross join lateral (
    select case when jsonb_typeof(payload -> 'invitees') = 'array' then payload -> 'invitees' else '[]' end as guests
  ) g
),
keyed as (
  select c.*, a.id as fub_account_id, a.user_id as account_user,
    p.id as fub_people_id, u.id as fub_user_id, u.ad_user_id,
    maker.name as maker_name, changer.name as changer_name,
    case
      when a.id is null then 'fub_accounts/' || c.account_raw
      when c.person_raw is not null and p.id is null then 'fub_people/' || a.id || '/' || c.person_raw
      when c.user_raw is not null and u.id is null then 'fub_users/' || a.id || '/' || c.user_raw
    end as waits_for
  from cleaned c
  left join v2.fub_accounts a on a.account_id_raw = c.account_raw::bigint
  left join v2.fub_people p on p.fub_account_id = a.id and p.fub_people_id_raw = c.person_raw
  left join v2.fub_users u on u.fub_account_id = a.id and u.fub_user_id_raw = c.user_raw
  left join v2.fub_users maker on maker.fub_account_id = a.id and maker.fub_user_id_raw = c.maker_raw
  left join v2.fub_users changer on changer.fub_account_id = a.id and changer.fub_user_id_raw = c.changer_raw
)
select
  staged_id,
  case when waits_for is not null then 'deferred' end as fate,
  case when waits_for is not null then 'missing_parent' end as reason,
  null::jsonb as detail,
  waits_for,
  case when reader = account_user then 1 else 0 end as rank,
  fub_account_id,
  source_id::bigint as appointment_id_raw,
  ops.blank_null(payload ->> 'title') as title,
  ops.blank_null(payload ->> 'description') as description,
  ops.instant(payload ->> 'start') as start,
  ops.instant(payload ->> 'end') as "end",
  ops.blank_null(payload ->> 'timezone') as timezone,
  ops.flag(payload -> 'allDay') as is_all_day,
  ops.flag(payload -> 'originFub') as is_from_fub,
  ops.blank_null(payload ->> 'location') as location,
  case when jsonb_typeof(payload -> 'invitees') = 'array' then payload -> 'invitees' end as invitees,
  ops.blank_null(payload ->> 'externalEventLink') as external_link,
  ops.blank_null(payload ->> 'outcome') as outcome,
  ops.blank_null(payload ->> 'type') as type,
  coalesce(ops.blank_null(payload ->> 'createdBy'), maker_name) as created_by_name,
  maker_raw as created_by_id,
  coalesce(ops.blank_null(payload ->> 'updatedBy'), changer_name) as updated_by_name,
  changer_raw as updated_by_id,
  fub_people_id as invited_person_id,
  fub_user_id,
  ops.instant(payload ->> 'created') as fub_created_at,
  ops.instant(payload ->> 'updated') as fub_updated_at,
  coalesce(ad_user_id, account_user) as user_id
from keyed
