-- One person of a SkySlope account who is a user of the product, found by the e-mail address.
-- Everybody else of the account is left out here; files find their agents in staging.
with source as (
  select b.id as staged_id, b.source_id as external_id, u.id as owner, b.user_id as reader
  from batch b
  left join lateral (
    select min(x.id) as id from v2."user" x
    where lower(x.email) = lower(btrim(b.payload ->> 'email')) and x.deleted_at is null
  ) u on true
)
select
  staged_id,
  case when owner is null then 'filtered' end as fate,
  case when owner is null then 'not_a_user' end as reason,
  null::jsonb as detail,
  null::text as waits_for,
  case when owner = reader then 1 else 0 end as rank,
  'skyslope' as platform,
  'user' as kind,
  external_id,
  owner as user_id
from source
