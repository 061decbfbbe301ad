-- Payouts whose user became known after they were merged.
-- Only rows that differ come out; everything else stays as it is.
select p.payment_id_raw, a.user_id, p.source, p.source_updated_at, p.deleted_at
from v2.revshare_payment p
join v2.agent a on a.id = p.agent_id
where (a.user_id = %(user_id)s or p.user_id = %(user_id)s) and p.user_id is distinct from a.user_id
