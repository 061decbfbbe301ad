-- Equity entries whose user became known after they were merged.
-- Only rows that differ come out; everything else stays as it is.
select p.grant_id_raw, p.transaction_type, p.transaction_date, a.user_id, p.source, p.source_updated_at, p.deleted_at
from v2.equity_transactions p
join v2.agent a on a.id = p.agent_id
where (a.user_id = %(user_id)s or p.user_id = %(user_id)s) and p.user_id is distinct from a.user_id
