-- One user of an organisation that orders title work.
-- Who of the product it is goes by the e-mail address alone.
with source as (
  select b.id as staged_id, b.source_id as title_user_id_raw, b.payload as p,
    lower(btrim(ops.blank_null(b.payload ->> 'email'))) as email
  from batch b
)
select s.staged_id, null::text as fate, null::text as reason, null::jsonb as detail, null::text as waits_for,
  s.title_user_id_raw,
  btrim(ops.blank_null(p ->> 'first_name')) as first_name,
  btrim(ops.blank_null(p ->> 'last_name')) as last_name,
  nullif(concat_ws(' ', btrim(ops.blank_null(p ->> 'first_name')), btrim(ops.blank_null(p ->> 'last_name'))), '')
    as full_name,
  s.email,
  u.id as user_id
from source s
left join v2."user" u on u.email = s.email and u.deleted_at is null
