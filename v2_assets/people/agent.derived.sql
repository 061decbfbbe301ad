-- Agents whose product user became known after they were merged.
-- Only rows that differ come out; everything else stays as it is.
select a.agent_id_raw, min(c.user_id) as user_id, a.is_stub, a.source, a.source_updated_at, a.deleted_at
from v2.agent a
join v2.credentials c on c.platform = 'rezen' and c.external_user_id = a.agent_id_raw and c.verified
  and c.deleted_at is null
where a.agent_id_raw in (select external_user_id from v2.credentials where user_id = %(user_id)s and platform = 'rezen')
group by a.id
having a.user_id is distinct from min(c.user_id)
