-- One payout line of one participant.
-- The source gives one amount per participant, so there is one line.
select p.transaction_id, p.id as participant_id, 1::bigint as line_no, 'Commission' as payment_type,
  p.gross_commission as amount, p.currency
from merged m
join v2.participant p on p.transaction_id = m.v2_id and p.deleted_at is null
where p.gross_commission is not null
