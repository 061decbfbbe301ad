-- One row per changed row of a derived table: its values beside those that come out of V2's inputs now (`again`).
-- A row that a select of changes alone does not tell is as its inputs say.
with cells as (
  select f.n, f.v1_at, {newest} as newest, c.key as name, {key} is not null as told,
    coalesce(to_jsonb(r) ->> 'deleted_at' is not null, false) as gone,
    c.key = any({names}) as asked, to_jsonb(jsonb_populate_record(null::{live}, to_jsonb(r))) -> c.key as again,
    to_jsonb(v) -> c.key as held
  from comparison_found f join {live} v on v.id = f.v2_id left join again r on {same}
  cross join lateral jsonb_each(f.cells) c
  where f.kind = 'changed' and f.reason is null and ({key} is not null or (not {whole} and f.user_id = {user}))
),
verdicts as (
  select n, min(v1_at) as v1_at, min(newest) as newest, bool_or(gone) as gone,
    jsonb_agg(name) filter (where told and asked and again is distinct from held) as wrong,
    jsonb_agg(name) filter (where not asked) as untold
  from cells group by n
),
said as (
  select v.*, case when gone then 'its_inputs_are_gone' when wrong is not null then 'not_what_the_inputs_say'
    when untold is not null then 'no_input_tells_it' when newest > v1_at then 'an_input_is_newer'
    else 'follows_from_its_inputs' end as why from verdicts v
)
update comparison_found f set
  reason = case s.why when 'its_inputs_are_gone' then 'bug' when 'not_what_the_inputs_say' then 'bug'
    when 'an_input_is_newer' then 'newer_at_source' else 'unknown' end,
  evidence = jsonb_strip_nulls(jsonb_build_object('derived_by', {file}::text, 'source_updated_at', s.newest,
    'v1_updated_at', s.v1_at, 'not_what_the_inputs_say', s.wrong, 'no_input_tells', s.untold, 'why', s.why))
from said s where f.n = s.n
