-- One agent in one tier of one agent's down-line.
-- How often to be in touch and when it last was are the user's own: they are not among the columns.
with source as (
  select b.id as staged_id, b.payload as p, b.payload #>> '{_v2,agent_id}' as agent_raw,
    ops.blank_null(b.payload ->> 'id') as member_raw, ops.whole(b.payload #> '{_v2,tier}') as tier,
    ops.code(b.payload -> 'status') as status_raw,
    ops.percent(ops.first_of(b.payload, 'sponsorSplit', 'split')) as split
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
  case when waits_for is not null then 'deferred' end as fate,
  case when waits_for is not null then 'missing_parent' end as reason,
  null::jsonb as detail,
  ops.unknown_word('status', 'agent_status', status_raw, status) as words,
  waits_for,
  concat_ws('-', agent_raw, member_raw, tier) as network_id_raw,
  agent_raw as agent_id_raw,
  member_raw as downline_agent_id_raw,
  tier::smallint as tier,
  status,
  case when split > 1 then split / 100 else split end as sponsor_split,
  ops.flag(p -> 'unlocking') as unlocking,
  ops.day(p ->> 'unlockingExpiry') as unlocking_expiry,
  ops.whole(p -> 'sizeOfNetwork') as network_size,
  ops.flag(p -> 'capped') as capped,
  ops.money(p -> 'capAmount') as cap_amount,
  ops.money(p -> 'capAmountPaid') as cap_amount_paid,
  false as left_network,
  ops.money(p -> 'totalContribution') as total_contribution,
  coalesce(ops.money_currency(p -> 'totalContribution'), ops.money_currency(p -> 'capAmount')) as currency,
  ops.blank_null(p ->> 'sponsorshipType') as sponsorship_type,
  ops.day(p ->> 'anniversaryDate') as anniversary_date,
  ops.day(p ->> 'joinDate') as broker_join_date,
  ops.day(p ->> 'terminatedAsOf') as broker_terminated_date,
  user_id,
  agent_id,
  member_id as downline_agent_id,
  case when tier = 1 then agent_id end as sponsoring_agent_id
from keyed
