-- One row per missing part whose carrier's record was read again: what that record says of it.
-- Only a record that tells others of its kind, and was read since V1 had the part, says that the part is gone; or one
-- whose part V2 had and deleted.
with asked as ({asked}),
records as (
  select b.*, greatest(b.fetched_at, (select max(s.looked_at) from {passes} s
    where s.account_ref = b.account_ref and s.integration = {integration} and s.entity = {entity}
      and s.last_full_at is not null)) as so_until
  from batch b
),
told as (
  select distinct a.n from asked a join part p on p.{parent} = a.v2_id
  where not exists (select from jsonb_each_text(a.keys) k where to_jsonb(p) ->> k.key is distinct from k.value)
),
verdicts as (
  select a.n, b.id, b.v2_id, b.source_updated_at, b.so_until, f.v1_by, f.v2_id is not null as deleted,
    t.n is not null as told,
    exists (select from jsonb_each_text(a.keys) k where k.key = any({words}) and starts_with(k.value, 'v1:')) as own,
    {imported} as imported,
    exists (select from jsonb_each_text(a.keys) k
      where k.key = any({words}) and position(k.value in b.payload::text) > 0) as named,
    exists (select from part p where p.{parent} = -a.v2_id) as tells
  from asked a join comparison_found f on f.n = a.n join records b on b.v2_id = a.v2_id left join told t on t.n = a.n
),
said as (
  select v.*, case when told then 'the_record_tells_it' when own and imported then 'known_to_v1_only'
    when own then 'not_imported' when named then 'the_record_names_it' when deleted then 'the_record_told_it'
    when not tells then 'the_record_tells_none'
    when so_until > v1_by then 'the_record_tells_others' else 'not_read_since' end as why from verdicts v
)
update comparison_found f set
  reason = case s.why when 'the_record_tells_it' then 'bug' when 'the_record_tells_others' then 'deleted_at_source'
    when 'the_record_told_it' then 'deleted_at_source'
    when 'not_imported' then 'never_fetched' when 'not_read_since' then 'never_fetched' else 'unknown' end,
  evidence = jsonb_strip_nulls(jsonb_build_object('carried_by', {carrier}::text, 'v2_id', s.v2_id,
    'stage', {name}::text, 'staged_id', s.id, 'source_updated_at', s.source_updated_at, 'told_by', {told_by}::text,
    'why', s.why))
from said s where f.n = s.n
