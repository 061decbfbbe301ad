-- Pending contributions that have settled since, or whose user or deal became known after they were merged.
-- Only rows that differ come out; everything else stays as it is.
select p.contribution_id_raw, a.user_id, t.id as transaction_id, p.source, p.source_updated_at,
  case when c.id is not null then coalesce(p.deleted_at, now()) else p.deleted_at end as deleted_at
from v2.contributions_pending p
join v2.agent a on a.id = p.receiving_agent_id
left join v2.transaction t on t.source = 'rezen' and t.transaction_id_raw = p.transaction_id_raw
left join v2.contribution c on c.contribution_id_raw = p.contribution_id_raw and c.deleted_at is null
where (a.user_id = %(user_id)s or p.user_id = %(user_id)s)
  and ((p.user_id, p.transaction_id) is distinct from (a.user_id, t.id) or (c.id is not null and p.deleted_at is null))
