-- One person of a SkySlope account who became a user of the product after the account was read.
-- Only rows that differ come out; a person whose e-mail is this user's is this user.
with mine as (
  select distinct s.source_id as external_id, u.id as user_id
  from v2."user" u
  join staging.stage_skyslope_users s on lower(btrim(s.payload ->> 'email')) = lower(u.email)
  where u.id = %(user_id)s and u.deleted_at is null and s.missed_sweeps < 2 and s.status <> 'rejected'
)
select 'skyslope' as platform, 'user' as kind, m.external_id, m.user_id, 'skyslope' as source
from mine m
left join v2.user_identity i on i.platform = 'skyslope' and i.kind = 'user' and i.external_id = m.external_id
where i.id is null
