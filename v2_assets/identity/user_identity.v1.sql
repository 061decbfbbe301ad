-- One V1 number of one user: what V1's other tables call the user by.
-- Only of users that were merged; a number that now means somebody else moves.
with named as (
  select distinct on (s.source_id) s.source_id as external_id, coalesce(s.v2_id, w.v2_id) as user_id
  from staging.stage_xano_user s
  left join staging.stage_xano_user w on w.id = s.duplicate_of
  where s.user_id = %(user_id)s and s.status in ('processed', 'duplicate')
    and coalesce(s.v2_id, w.v2_id) is not null
  order by s.source_id, s.id
)
select 'v1' as platform, 'user' as kind, n.external_id, n.user_id, 'v1' as source
from named n
left join v2.user_identity i on i.platform = 'v1' and i.kind = 'user' and i.external_id = n.external_id
where (i.user_id, i.deleted_at) is distinct from (n.user_id, null::timestamptz)
