-- One thing a contact did.
-- Append-only at the source; the property's price is text there and not kept. Two triggers give it its contact's user.
with source as (
  select b.id as staged_id, b.user_id as reader, b.payload, b.source_id, split_part(b.account_ref, '/', 2) as account_raw
  from batch b
),
cleaned as (
  select s.*,
    nullif(greatest(ops.whole(payload -> 'personId'), 0), 0) as person_raw
  from source s
),
keyed as (
  select c.*, a.id as fub_account_id, a.user_id as account_user,
    p.id as fub_people_id, p.people_name,
    case
      when a.id is null then 'fub_accounts/' || c.account_raw
      when c.person_raw is not null and p.id is null then 'fub_people/' || a.id || '/' || c.person_raw
    end as waits_for
  from cleaned c
  left join v2.fub_accounts a on a.account_id_raw = c.account_raw::bigint
  left join v2.fub_people p on p.fub_account_id = a.id and p.fub_people_id_raw = c.person_raw
)
select
  staged_id,
  case when waits_for is not null then 'deferred' end as fate,
  case when waits_for is not null then 'missing_parent' end as reason,
  null::jsonb as detail,
  waits_for,
  case when reader = account_user then 1 else 0 end as rank,
  fub_account_id,
  source_id::bigint as fub_events_id,
  people_name,
  ops.instant(coalesce(
    ops.blank_null(payload ->> 'occurredAt'), ops.blank_null(payload ->> 'occurred'), payload ->> 'created')) as occurred,
  ops.blank_null(payload ->> 'source') as event_source,
  ops.blank_null(payload ->> 'type') as type,
  ops.blank_null(payload #>> '{property,street}') as property_street,
  ops.blank_null(payload #>> '{property,city}') as property_city,
  ops.blank_null(payload #>> '{property,state}') as property_state,
  ops.blank_null(payload #>> '{property,code}') as property_zip,
  ops.blank_null(payload #>> '{property,mlsNumber}') as property_id,
  ops.blank_null(payload ->> 'message') as message,
  ops.blank_null(payload ->> 'description') as description,
  fub_people_id,
  ops.instant(payload ->> 'created') as fub_created_at,
  ops.instant(payload ->> 'updated') as fub_updated_at
from keyed
