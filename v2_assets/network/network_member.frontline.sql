-- One agent right below another, as the front line shows it: tier 1 of the down-line once more, with less said.
-- Left to the down-line where that has the member; without a stamp, so that a down-line that comes later replaces it.
with source as (
  select b.id as staged_id, b.payload as p, b.payload #>> '{_v2,agent_id}' as agent_raw,
    ops.blank_null(b.payload ->> 'id') as member_raw, ops.whole(b.payload #> '{_v2,tier}') as tier,
    ops.code(b.payload -> 'status') as status_raw,
    exists (
      select from staging.stage_rezen_network_downline d
      where d.account_ref = b.account_ref and d.source_id = b.source_id || ':1' and d.missed_sweeps < 2
        and d.status <> 'rejected') as told
  from batch b
),
keyed as (
  select s.*, a.id as agent_id, a.user_id, m.id as member_id, st.value as status,
    case when a.id is null then 'agent/' || s.agent_raw when m.id is null then 'agent/' || s.member_raw end as waits_for
  from source s
  left join v2.agent a on a.agent_id_raw = s.agent_raw
  left join v2.agent m on m.agent_id_raw = s.member_raw
  left join ops.code_map st on st.code_set = 'agent_status' and st.source = 'rezen' and st.raw = s.status_raw
)
select
  staged_id,
  case when told then 'filtered' when waits_for is not null then 'deferred' end as fate,
  case when told then 'in_down_line' when waits_for is not null then 'missing_parent' end as reason,
  null::jsonb as detail,
  ops.unknown_word('status', 'agent_status', status_raw, status) as words,
  case when not told then waits_for end as waits_for,
  null::timestamptz as source_updated_at,
  concat_ws('-', agent_raw, member_raw, tier) as network_id_raw,
  agent_raw as agent_id_raw,
  member_raw as downline_agent_id_raw,
  tier::smallint as tier,
  status,
  ops.whole(p -> 'sizeOfNetwork') as network_size,
  ops.day(p ->> 'joinDate') as broker_join_date,
  ops.day(p ->> 'terminatedAsOf') as broker_terminated_date,
  user_id,
  agent_id,
  member_id as downline_agent_id,
  agent_id as sponsoring_agent_id
from keyed
