-- The buyer and the seller of one deal, as a row of an imported file names them.
-- A file names people in one piece, so the last word is taken for the family name.
select 'csv' as source, concat(b.payload ->> 'key', '/', side.part) as participant_id_raw,
  m.v2_id as transaction_id, null::bigint as listing_id, side.role,
  nullif(regexp_replace(side.name, '\s*\S+$', ''), '') as first_name,
  substring(side.name from '\S+$') as last_name,
  false as is_real_agent, true as external, true as is_transaction, false as is_listing
from merged m
join batch b on b.id = m.staged_id
cross join lateral (values
  ('buyer', 'Buyer', btrim(b.payload ->> 'buyer')), ('seller', 'Seller', btrim(b.payload ->> 'seller'))
) side(part, role, name)
where side.name <> ''
