-- Members whose user became known, or who left the down-line, after they were merged.
-- Only rows that differ come out; everything else stays as it is.
select n.network_id_raw, n.agent_id_raw, n.downline_agent_id_raw, n.tier, a.user_id,
  n.deleted_at is not null as left_network, n.source, n.source_updated_at, n.deleted_at
from v2.network_member n
join v2.agent a on a.id = n.agent_id
where (a.user_id = %(user_id)s or n.user_id = %(user_id)s)
  and (n.user_id, n.left_network) is distinct from (a.user_id, n.deleted_at is not null)
