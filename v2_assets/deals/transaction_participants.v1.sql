-- Who takes part in which of V1's deals, for joins.
-- Each person of V1 is a record of its own, so the row follows the person and not the deal.
select p.transaction_id, p.id as participant_id
from merged m
join v2.participant p on p.id = m.v2_id and p.transaction_id is not null and p.deleted_at is null
