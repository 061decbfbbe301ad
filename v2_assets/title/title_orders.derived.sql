-- The deal of each title order, by address and then by price, closing date or agent; and who placed the order.
-- Only deals that somebody who sees the order sees too count; one that is best alone is it, two alike are ambiguous.
with mine as (
  select o.id from staging.stage_title_orders s
  join v2.title_orders o on o.order_id_raw = s.source_id
  where s.user_id = %(user_id)s and s.status in ('processed', 'duplicate')
  union
  select o.id from v2.title_orders o where o.user_id = %(user_id)s
),
orders as (
  select o.* from mine m join v2.title_orders o on o.id = m.id and o.source = 'title'
),
viewers as (
  select o.id, s.user_id from orders o
  join staging.stage_title_orders s on s.source_id = o.order_id_raw and s.status in ('processed', 'duplicate')
),
places as (
  select id, address_id from orders where address_id is not null
  union
  select o.id, ad.id from orders o
  cross join lateral jsonb_array_elements(o.properties) p
  join v2.address ad on ad.address_key = ops.title_address_key(p)
  where o.property_count > 1
),
candidates as (
  select distinct o.id, t.id as transaction_id, t.sale_price, t.closing_date, t.transaction_owner_email
  from places o
  join v2.transaction t on t.address_id = o.address_id and t.deleted_at is null and t.duplicate_of_id is null
  join viewers v on v.id = o.id
  where t.user_id = v.user_id
    or exists (
      select from staging.stage_rezen_transactions s
      where s.v2_id = t.id and s.status = 'processed' and (s.user_id = v.user_id or exists (
        select from staging.stage_rezen_transactions other
        where other.duplicate_of = s.id and other.user_id = v.user_id)))
),
judged as (
  select c.id, c.transaction_id,
    case when o.purchase_price > 0 and abs(c.sale_price - o.purchase_price) <= o.purchase_price * 0.01
      then 4 else 0 end
    + case when abs(c.closing_date - (o.close_date at time zone 'UTC')::date) <= 30 then 2 else 0 end
    + case when exists (
        select from jsonb_array_elements(o.agents) a
        where ops.blank_null(a ->> 'email') is not null and (
          lower(btrim(a ->> 'email')) = lower(c.transaction_owner_email) or exists (
            select from v2.participant p where p.transaction_id = c.transaction_id and p.deleted_at is null
              and lower(p.email) = lower(btrim(a ->> 'email')))))
      then 1 else 0 end as score
  from candidates c join orders o on o.id = c.id
),
best as (
  select j.id, max(j.score) as score, count(*) as alike, min(j.transaction_id) as transaction_id
  from judged j
  where j.score > 0 and j.score = (select max(k.score) from judged k where k.id = j.id)
  group by j.id
),
fresh as (
  select o.id, o.order_id_raw, o.source, o.source_updated_at, o.deleted_at,
    case when b.alike = 1 then b.transaction_id end as transaction_id,
    case
      when b.alike is null then 'none'
      when b.alike > 1 then 'ambiguous'
      when b.score >= 4 then 'address_price'
      when b.score >= 2 then 'address_close_date'
      else 'address_agent'
    end as match_rule,
    tu.id as orderer_id,
    coalesce(tu.user_id, s.user_id, o.user_id) as user_id
  from orders o
  left join best b on b.id = o.id
  left join v2.title_users tu on tu.title_user_id_raw = o.orderer_id_raw
  left join staging.stage_title_orders s on s.v2_id = o.id and s.status = 'processed' and s.missed_sweeps < 2
)
select f.order_id_raw, f.transaction_id, f.match_rule, f.orderer_id, f.user_id, f.source, f.source_updated_at,
  f.deleted_at
from fresh f
join v2.title_orders o on o.id = f.id
where (o.transaction_id, o.match_rule, o.orderer_id, o.user_id)
  is distinct from (f.transaction_id, f.match_rule, f.orderer_id, f.user_id)
