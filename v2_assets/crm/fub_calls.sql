-- One phone call.
-- personId 0 is an unknown caller: the call is kept without a contact.
with source as (
  select b.id as staged_id, b.user_id as reader, b.payload, b.source_id, split_part(b.account_ref, '/', 2) as account_raw
  from batch b
),
cleaned as (
  select s.*,
    nullif(greatest(ops.whole(payload -> 'personId'), 0), 0) as person_raw,
    nullif(greatest(ops.whole(payload -> 'userId'), 0), 0) as user_raw
  from source s
),
keyed as (
  select c.*, a.id as fub_account_id, a.user_id as account_user,
    p.id as fub_people_id, p.people_name, u.id as fub_user_id, u.ad_user_id,
    case
      when a.id is null then 'fub_accounts/' || c.account_raw
      when c.person_raw is not null and p.id is null then 'fub_people/' || a.id || '/' || c.person_raw
      when c.user_raw is not null and u.id is null then 'fub_users/' || a.id || '/' || c.user_raw
    end as waits_for
  from cleaned c
  left join v2.fub_accounts a on a.account_id_raw = c.account_raw::bigint
  left join v2.fub_people p on p.fub_account_id = a.id and p.fub_people_id_raw = c.person_raw
  left join v2.fub_users u on u.fub_account_id = a.id and u.fub_user_id_raw = c.user_raw
)
select
  staged_id,
  case when waits_for is not null then 'deferred' end as fate,
  case when waits_for is not null then 'missing_parent' end as reason,
  null::jsonb as detail,
  waits_for,
  case when reader = account_user then 1 else 0 end as rank,
  fub_account_id,
  source_id::bigint as call_id,
  ops.blank_null(payload ->> 'userName') as user_name,
  ops.blank_null(payload ->> 'name') as name,
  people_name,
  ops.blank_null(payload ->> 'phone') as phone,
  ops.blank_null(payload ->> 'fromNumber') as from_number,
  ops.blank_null(payload ->> 'toNumber') as to_number,
  ops.blank_null(payload ->> 'note') as note,
  ops.blank_null(payload ->> 'outcome') as outcome,
  ops.flag(payload -> 'isIncoming') as is_incoming,
  case when ops.flag(payload -> 'isIncoming') then 'incoming' when not ops.flag(payload -> 'isIncoming') then 'outgoing'
  end as direction,
  ops.whole(payload -> 'duration') as duration,
  ops.blank_null(payload ->> 'recordingUrl') as recording_url,
  ops.whole(payload -> 'createdById') as created_by_id,
  ops.whole(payload -> 'updatedById') as updated_by_id,
  person_raw as person_id,
  fub_people_id,
  fub_user_id,
  ops.instant(payload ->> 'created') as fub_created_at,
  ops.instant(payload ->> 'updated') as fub_updated_at,
  coalesce(ad_user_id, account_user) as user_id
from keyed
