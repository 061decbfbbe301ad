-- People on deals whose product user became known (or changed) after they were merged.
-- Only rows that differ come out; everything else stays as it is.
select p.source, p.participant_id_raw, p.transaction_id, p.listing_id, a.user_id, p.source_updated_at, p.deleted_at
from v2.agent a
join v2.participant p on p.agent_id = a.id
where a.user_id = %(user_id)s and p.user_id is distinct from a.user_id
