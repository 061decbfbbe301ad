-- One row per missing row and staged copy of it; the best copy tells the reason.
-- A copy of a living source counts more than V1's own imported row, and one that is in V2 more than any other.
-- What V2 holds under another key than V1 is a duplicate only if its record says that key, or leads to a row that lives.
-- A row that V2 deleted is gone at its source only if sweeps missed its record, or the record itself says so.
with best as (
  select distinct on (n) * from comparison_copies
  order by n, imported,
    case when status = 'processed' and alive then 1 when status = 'duplicate' then 2 when status = 'pending' then 3
      when status = 'deferred' then 4 when status = 'rejected' then 5 when status = 'processed' then 6 else 7 end,
    staged_id desc
)
update comparison_found f set
  reason = case
    when b.status = 'processed' and b.alive and b.same then 'duplicate'
    when b.status = 'processed' and b.alive and not b.same then 'bug'
    when b.leads_to is not null then b.leads_to
    when b.status in ('processed', 'duplicate') and b.gone and b.ended then 'deleted_at_source'
    when b.status in ('processed', 'duplicate') and b.gone then 'bug'
    when b.status = 'processed' then 'unknown'
    else b.status end,
  evidence = jsonb_strip_nulls(jsonb_build_object(
    'stage', b.stage, 'staged_id', b.staged_id, 'rule', b.status_reason, 'waits_for', b.waits_for,
    'field', b.detail ->> 'field', 'duplicate_of', b.duplicate_of, 'v2_id', b.v2_id,
    'why', case when b.same then 'v1_has_another_key' when not b.same then 'v2_has_another_key'
      when b.leads_to = 'bug' then 'leads_to_no_row'
      when b.leads_to is null and b.gone and not b.ended then 'v2_deleted_it' end,
    'missed_sweeps', nullif(b.missed_sweeps, 0), 'fetched_at', b.fetched_at))
from best b where f.n = b.n and f.reason is null
