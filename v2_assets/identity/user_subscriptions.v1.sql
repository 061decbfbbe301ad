-- The subscription of one user, as V1 kept it.
-- What the product wrote itself is left alone.
with source as (
  select b.id as staged_id, b.payload as p, b.account_ref from batch b
),
keyed as (
  select s.*, i.user_id as owner,
    exists (select from v2.user_subscriptions live where live.user_id = i.user_id and live.source <> 'v1') as living
  from source s
  left join v2.user_identity i on i.platform = 'v1' and i.kind = 'user' and i.external_id = p ->> 'user_id'
    and i.deleted_at is null
),
judged as (
  select k.*,
    case when p ->> 'user_id' is null then 'rejected' when living then 'filtered'
         when waits_for is not null then 'deferred' end as fate
  from (select keyed.*, case when owner is null then 'user_identity/v1/user/' || (p ->> 'user_id') end as waits_for from keyed) k
)
select
  staged_id,
  fate,
  case fate when 'rejected' then 'missing_key' when 'filtered' then 'living_source' when 'deferred' then 'missing_parent'
  end as reason,
  case when fate = 'rejected' then jsonb_build_object('field', 'user_id') end as detail,
  waits_for,
  owner as user_id,
  p ->> 'subscription_type' as subscription_type,
  (p ->> 'paid')::boolean as paid,
  (p ->> 'payment_complete')::boolean as payment_complete,
  p ->> 'stripe_product_id' as stripe_product_id,
  p ->> 'stripe_price_id' as stripe_price_id,
  (p ->> 'subscription_packages_id')::bigint as subscription_packages_id
from judged
