-- The money of one deal that only V1 knows.
-- V1 kept totals, not how they were split; null never becomes 0.
select t.id as transaction_id, t.source_updated_at, t.gross_commission as gci, t.sale_price, t.list_price,
  t.gross_commission, t.net_payout, t.currency
from merged m
join v2.transaction t on t.id = m.v2_id
