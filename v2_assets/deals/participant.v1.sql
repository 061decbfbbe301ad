-- One person on one deal or listing, as V1 knew it.
-- Of a deal that a living source tells, the people are that source's too.
with source as (
  select b.id as staged_id, b.payload as p, b.account_ref, ops.v1_code(b.payload ->> 'role') as role_raw,
    (b.payload ->> 'commission_split')::numeric as share
  from batch b
),
placed as (
  select s.*, t.id as deal, l.id as place,
    ops.v1_raw(st.payload, 'transaction_id_raw') as deal_raw, ops.v1_raw(sl.payload, 'listing_id_raw') as place_raw,
    t.id is null and st.id is not null and exists (
      select from v2.transaction live where live.source in ('rezen', 'skyslope')
        and live.transaction_id_raw = ops.v1_raw(st.payload, 'transaction_id_raw')) as deal_lives,
    l.id is null and sl.id is not null and exists (
      select from v2.listing live where live.source in ('rezen', 'skyslope')
        and live.listing_id_raw = ops.v1_raw(sl.payload, 'listing_id_raw')) as place_lives
  from source s
  left join staging.stage_xano_transaction st on st.account_ref = s.account_ref and st.source_id = p ->> 'transaction_id'
  left join v2.transaction t on t.source = 'v1' and t.transaction_id_raw = ops.v1_raw(st.payload, 'transaction_id_raw')
  left join staging.stage_xano_listing sl on sl.account_ref = s.account_ref and sl.source_id = p ->> 'listing_id'
  left join v2.listing l on l.source = 'v1' and l.listing_id_raw = ops.v1_raw(sl.payload, 'listing_id_raw')
),
keyed as (
  select s.*, m.value as role, a.id as agent, i.user_id as mine, sa.payload as agent_row,
    case
      when deal is null and not deal_lives and p ->> 'transaction_id' is not null
        then 'transaction/v1/' || coalesce(deal_raw, 'v1:' || (p ->> 'transaction_id'))
      when place is null and not place_lives and p ->> 'listing_id' is not null
        then 'listing/v1/' || coalesce(place_raw, 'v1:' || (p ->> 'listing_id'))
      when a.id is null and p ->> 'agent_id' is not null
        then 'agent/' || coalesce(ops.v1_raw(sa.payload, 'agent_id_raw'), 'v1:' || (p ->> 'agent_id'))
      when i.user_id is null and p ->> 'user_id' is not null then 'user_identity/v1/user/' || (p ->> 'user_id')
    end as waits_for
  from placed s
  left join ops.code_map m on m.code_set = 'participant_role' and m.source = 'v1' and m.raw = s.role_raw
  left join staging.stage_xano_agent sa on sa.account_ref = s.account_ref and sa.source_id = p ->> 'agent_id'
  left join v2.agent a on a.agent_id_raw = coalesce(ops.v1_raw(sa.payload, 'agent_id_raw'), p ->> 'agent_id_raw')
  left join v2.user_identity i on i.platform = 'v1' and i.kind = 'user' and i.external_id = p ->> 'user_id'
    and i.deleted_at is null
),
judged as (
  select k.*,
    case
      when p ->> 'transaction_id' is null and p ->> 'listing_id' is null then 'rejected'
      when (deal_lives or place_lives) and deal is null and place is null then 'filtered'
      when waits_for is not null then 'deferred'
    end as fate
  from keyed k
)
select
  staged_id,
  fate,
  case fate when 'filtered' then 'living_source' when 'deferred' then 'missing_parent' when 'rejected' then 'missing_key'
  end as reason,
  case when fate = 'rejected' then jsonb_build_object('field', 'transaction_id') end as detail,
  ops.unknown_word('role', 'participant_role', role_raw, role) as words,
  waits_for,
  'v1' as source,
  ops.v1_raw(p, 'participant_id_raw') as participant_id_raw,
  deal as transaction_id,
  place as listing_id,
  role,
  p ->> 'status' as status,
  p ->> 'first_name' as first_name,
  p ->> 'last_name' as last_name,
  lower(p ->> 'email') as email,
  p ->> 'phone' as phone,
  p ->> 'company' as company,
  (p ->> 'is_real_agent')::boolean as is_real_agent,
  (p ->> 'paid_by_real')::boolean as paid_by_real,
  (p ->> 'external')::boolean as external,
  -- V1 held both fractions of 1 and shares of 100.
  case when share > 1 then share / 100 else share end as commission_split,
  (p ->> 'gross_commission')::numeric as gross_commission,
  (p ->> 'net_payout')::numeric as net_payout,
  upper(p ->> 'currency') as currency,
  (p ->> 'paid')::boolean as paid,
  ops.epoch_ms((p ->> 'paid_at')::bigint) as paid_at,
  coalesce(agent_row ->> 'agent_id_raw', p ->> 'agent_id_raw') as agent_id_raw,
  deal is not null as is_transaction,
  place is not null as is_listing,
  agent as agent_id,
  mine as user_id
from judged
