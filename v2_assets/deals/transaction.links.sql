-- One deal told by two sources: the record of the weaker source points to that of the stronger one, with the rule's name.
-- reZEN is stronger than SkySlope, then V1, then CSV; a link always leads to the strongest record, never to a link.
with recursive reach (id) as (
  select owner_id from changed
  union
  select o.id
  from reach r
  join v2.transaction t on t.id = r.id
  cross join lateral (
    select a.id from v2.transaction a where a.transaction_id_raw = t.transaction_id_raw
    union all select a.id from v2.transaction a where a.rezen_code = t.rezen_code
    union all select a.id from v2.transaction a
      where upper(regexp_replace(a.mls_num, '[^A-Za-z0-9]', '', 'g'))
        = upper(regexp_replace(t.mls_num, '[^A-Za-z0-9]', '', 'g')) and a.mls_num is not null
        and t.mls_num ~ '[1-9].*[0-9]'
    union all select a.id from v2.transaction a where a.address_id = t.address_id
    union all select a.id from v2.transaction a where a.duplicate_of_id = t.id
    union all select t.duplicate_of_id where t.duplicate_of_id is not null
  ) o
),
told as materialized (
  select t.id, t.source, t.transaction_id_raw as raw, t.rezen_code, t.address_id, t.sale_price, t.closing_date,
    case when t.mls_num ~ '[1-9].*[0-9]' then upper(regexp_replace(t.mls_num, '[^A-Za-z0-9]', '', 'g')) end as mls,
    coalesce(t.terminated, false) as terminated, a.state_abbreviation as state,
    case when t.representation in ('Buyer', 'Tenant') then 'buyer'
         when t.representation in ('Seller', 'Landlord') then 'seller' end as side,
    array_position(array['rezen', 'skyslope', 'v1', 'csv'], t.source) as place
  from reach r
  join v2.transaction t on t.id = r.id and t.deleted_at is null
  left join v2.address a on a.id = t.address_id
),
pair as (
  select w.id, s.id as other, 1 as rule_no, 'rezen_id' as rule
  from told w join told s on s.raw = w.raw
  where s.place < w.place and s.place <= 2 and w.place >= 3
  union all
  select w.id, s.id, 1, 'rezen_id' from told w join told s on s.rezen_code = w.rezen_code where s.place < w.place
  union all
  select w.id, s.id, 2, 'mls' from told w join told s on s.mls = w.mls
  where s.place < w.place and s.terminated = w.terminated and coalesce(s.side = w.side, true)
    and coalesce(s.state = w.state, true)
    -- Many deals carry a filler (12345) for a number, so a second fact has to agree.
    and (s.address_id = w.address_id
      or (abs(s.sale_price - w.sale_price) <= 0.01 * greatest(s.sale_price, w.sale_price)
        and coalesce(abs(s.closing_date - w.closing_date) <= 90, true))
      or (s.closing_date = w.closing_date and (s.sale_price is null or w.sale_price is null)))
  union all
  select w.id, s.id, 3, 'address_price_date' from told w join told s on s.address_id = w.address_id
  where s.place < w.place and s.terminated = w.terminated and coalesce(s.side = w.side, true)
    and abs(s.sale_price - w.sale_price) <= 0.01 * greatest(s.sale_price, w.sale_price)
    and abs(s.closing_date - w.closing_date) <= 14
),
best as (
  select distinct on (p.id) p.id, p.other, p.rule
  from pair p join told w on w.id = p.id join told s on s.id = p.other
  order by p.id, p.rule_no, s.place, abs(s.closing_date - w.closing_date) nulls last,
    abs(s.sale_price - w.sale_price) nulls last, s.side is distinct from w.side, s.raw
),
root as (
  select b.id, b.rule, coalesce(c.other, a.other, b.other) as root_id
  from best b left join best a on a.id = b.other left join best c on c.id = a.other
)
select t.source, t.transaction_id_raw, n.root_id as duplicate_of_id, n.rule as duplicate_rule, t.source_updated_at,
  t.deleted_at
from reach r
join v2.transaction t on t.id = r.id
left join root n on n.id = t.id
where (t.duplicate_of_id, t.duplicate_rule) is distinct from (n.root_id, n.rule)
