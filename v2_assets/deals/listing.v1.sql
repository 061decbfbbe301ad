-- One listing, as V1 knew it.
-- A listing that a living source tells under the same id is left to that source.
with source as (
  select b.id as staged_id, b.payload as p, b.account_ref, ops.v1_raw(b.payload, 'listing_id_raw') as listing_id_raw,
    ops.v1_code(b.payload ->> 'status') as status_raw, ops.v1_code(b.payload ->> 'property_type') as property_raw,
    ops.address_key(b.payload ->> 'address') as address_key
  from batch b
),
keyed as (
  select s.*, ss.value as told_status, pt.value as kind, a.id as owner, t.id as team, t.team_owner_agent_id as team_owner,
    ad.id as address_id, i.user_id as mine,
    exists (
      select from v2.listing live where live.source in ('rezen', 'skyslope')
        and live.listing_id_raw = s.listing_id_raw and live.deleted_at is null) as living,
    ops.unknown_word('status', 'transaction_status', s.status_raw, ss.value)
      || ops.unknown_word('property_type', 'property_type', s.property_raw, pt.value) as words,
    case
      when a.id is null and p ->> 'transaction_owner_agent_id' is not null then 'agent/'
        || coalesce(ops.v1_raw(sa.payload, 'agent_id_raw'), 'v1:' || (p ->> 'transaction_owner_agent_id'))
      when t.id is null and p ->> 'team_id' is not null
        then 'team/' || coalesce(ops.v1_raw(st.payload, 'team_id_raw'), 'v1:' || (p ->> 'team_id'))
      when i.user_id is null and p ->> 'user_id' is not null then 'user_identity/v1/user/' || (p ->> 'user_id')
      when ad.id is null and s.address_key is not null then 'address/' || s.address_key
    end as waits_for
  from source s
  left join ops.code_map ss on ss.code_set = 'transaction_status' and ss.source = 'v1' and ss.raw = s.status_raw
  left join ops.code_map pt on pt.code_set = 'property_type' and pt.source = 'v1' and pt.raw = s.property_raw
  left join staging.stage_xano_agent sa on sa.account_ref = s.account_ref
    and sa.source_id = p ->> 'transaction_owner_agent_id'
  left join v2.agent a on a.agent_id_raw = ops.v1_raw(sa.payload, 'agent_id_raw')
  left join staging.stage_xano_team st on st.account_ref = s.account_ref and st.source_id = p ->> 'team_id'
  left join v2.team t on t.team_id_raw = ops.v1_raw(st.payload, 'team_id_raw')
  left join v2.user_identity i on i.platform = 'v1' and i.kind = 'user' and i.external_id = p ->> 'user_id'
    and i.deleted_at is null
  left join v2.address ad on ad.address_key = s.address_key
),
judged as (
  select k.*,
    coalesce(told_status, case when (p ->> 'terminated')::boolean then 'Terminated'
      when (p ->> 'closed')::boolean then 'Closed' when p ? 'closed' then 'Active' end) as status,
    case when living then 'filtered' when waits_for is not null then 'deferred' end as fate
  from keyed k
)
select
  staged_id,
  fate,
  case fate when 'filtered' then 'living_source' when 'deferred' then 'missing_parent' end as reason,
  null::jsonb as detail,
  words,
  waits_for,
  'v1' as source,
  listing_id_raw,
  status,
  (p ->> 'list_price')::numeric as list_price,
  upper(p ->> 'currency') as currency,
  (p ->> 'listing_date')::date as listing_date,
  (p ->> 'expiration_date')::date as expiration_date,
  (p ->> 'days_on_market')::bigint as days_on_market,
  kind as property_type,
  p ->> 'mls_number' as mls_number,
  coalesce(p ->> 'data_source', 'v1') as data_source,
  (p ->> 'is_demo')::boolean as is_demo,
  coalesce((p ->> 'closed')::boolean, status = 'Closed') as closed,
  coalesce((p ->> 'terminated')::boolean, status in ('Terminated', 'Canceled')) as terminated,
  ops.epoch_ms((p ->> 'closed_at')::bigint) as closed_at,
  ops.epoch_ms((p ->> 'terminated_at')::bigint) as terminated_at,
  address_id,
  owner as transaction_owner_agent_id,
  team as team_id,
  team_owner as team_owner_agent_id,
  mine as user_id
from judged
