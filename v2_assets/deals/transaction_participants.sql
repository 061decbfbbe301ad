-- Who takes part in which transaction, for joins.
-- Follows the participants that were merged just before, in the same transaction.
select p.transaction_id, p.id as participant_id
from merged m
join v2.participant p on p.transaction_id = m.v2_id and p.deleted_at is null
