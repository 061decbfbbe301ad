-- One settlement agency, as it is offered to those who order.
-- Its states are those in which any connected organisation was offered it; an empty list means that nobody told.
with states as (
  select s.source_id, array_agg(distinct t.state order by t.state) as states
  from (select distinct source_id from batch) b
  join staging.stage_title_agencies s on s.source_id = b.source_id and s.status <> 'rejected'
  cross join lateral jsonb_array_elements_text(
    case jsonb_typeof(s.payload #> '{_v2,states}') when 'array' then s.payload #> '{_v2,states}' else '[]' end)
    t(state)
  group by s.source_id
)
select b.id as staged_id, null::text as fate, null::text as reason, null::jsonb as detail, null::text as waits_for,
  b.source_id as agency_id_raw, btrim(ops.blank_null(b.payload ->> 'name')) as name, s.states
from batch b
left join states s on s.source_id = b.source_id
