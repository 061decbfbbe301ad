-- Missing rows that no stream has staged: how far the owner's connection was read tells why.
-- {integration} and {entity} are one stream; rows whose owner has no connection to it are left to the next stream.
-- A complete pass proves something only about what was there when it began.
with owners as (
  select distinct user_id from comparison_found where kind = 'missing' and reason is null and user_id is not null
),
states as (
  select o.user_id, c.state, c.active, s.last_full_at, s.account_ref, s.sweep_id, s.looked_at,
    case
      when not c.active then 'switched_off'
      when c.state <> 'ok' then c.state
      when s.account_ref is null then 'never_synced'
      when s.status = 'excluded' then 'excluded'
      when s.last_full_at is null then coalesce(s.error ->> 'code', 'first_pass_unfinished')
    end as why,
    s.cursor #>> '{{current,pages}}' as pages, s.cursor #>> '{{current,records}}' as records
  from owners o
  join lateral (
    select * from v2.credentials c where c.user_id = o.user_id and c.platform = {integration} and c.deleted_at is null
    order by c.state = 'ok' desc, c.id limit 1
  ) c on true
  left join lateral (
    select * from {passes} s where s.integration = {integration} and s.entity = {entity} and s.user_id = o.user_id
    order by s.last_full_at desc nulls last limit 1
  ) s on true
),
judged as (
  select f.n, s.*, f.v1_by,
    coalesce(s.why, case when s.looked_at <= f.v1_by then 'not_read_since' end) as why_not
  from comparison_found f join states s on s.user_id = f.user_id where f.kind = 'missing' and f.reason is null
)
update comparison_found f set
  reason = case when j.why_not is null then 'not_visible_to_key' else 'never_fetched' end,
  evidence = jsonb_strip_nulls(jsonb_build_object(
    'stream', {integration} || '/' || {entity}, 'why', j.why_not, 'account_ref', j.account_ref, 'pages', j.pages,
    'records', j.records, 'last_full_at', j.last_full_at, 'sweep_id', j.sweep_id,
    'in_v1_at', case when j.why is null then j.v1_by end))
from judged j where f.n = j.n
