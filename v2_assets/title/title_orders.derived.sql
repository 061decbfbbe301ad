-- The deal of each title order, by address and then by price, closing date or agent; and who placed the order.
-- Only deals that somebody who sees the order sees too count; one that is best alone is it, two alike are ambiguous.
with mine as (
  select o.id from staging.stage_title_orders s
  join v2.title_orders o on o.order_id_raw = s.source_id
  where s.user_id = %(user_id)s and s.status in ('processed', 'duplicate')
  union
  select o.id from v2.title_orders o where o.user_id = %(user_id)s
),
fresh as (
  -- Order by order, so that every step is served by an index however many orders are new.
  select o.order_id_raw, o.source, o.source_updated_at, o.deleted_at,
    o.transaction_id, o.match_rule, o.orderer_id, o.user_id,
    case when b.alike = 1 then b.transaction_id end as new_transaction_id,
    case
      when b.alike is null then 'none'
      when b.alike > 1 then 'ambiguous'
      when b.score >= 4 then 'address_price'
      when b.score >= 2 then 'address_close_date'
      else 'address_agent'
    end as new_match_rule,
    tu.id as new_orderer_id,
    coalesce(tu.user_id, viewers.reader, o.user_id) as new_user_id
  from mine m
  join v2.title_orders o on o.id = m.id and o.source = 'title'
  left join v2.title_users tu on tu.title_user_id_raw = o.orderer_id_raw
  left join lateral (
    -- Sub-queries, so that no plan made before the rows were counted reads the whole table for each order.
    select s.user_id as reader,
      s.user_id || array(select d.user_id from staging.stage_title_orders d where d.duplicate_of = s.id) as users
    from staging.stage_title_orders s
    where s.v2_id = o.id and s.status = 'processed'
    order by s.id limit 1
  ) viewers on true
  left join lateral (
    select c.score, count(*) as alike, min(c.transaction_id) as transaction_id
    from (
      select t.id as transaction_id,
        case when o.purchase_price > 0 and abs(t.sale_price - o.purchase_price) <= o.purchase_price * 0.01
          then 4 else 0 end
        + case when abs(t.closing_date - (o.close_date at time zone 'UTC')::date) <= 30 then 2 else 0 end
        + case when exists (
            select from jsonb_array_elements(o.agents) a
            where ops.blank_null(a ->> 'email') is not null and (
              lower(btrim(a ->> 'email')) = lower(t.transaction_owner_email) or exists (
                select from v2.participant p where p.transaction_id = t.id and p.deleted_at is null
                  and lower(p.email) = lower(btrim(a ->> 'email')))))
          then 1 else 0 end as score
      from (
        select o.address_id
        union
        select ad.id from jsonb_array_elements(o.properties) p
        join v2.address ad on ad.address_key = ops.title_address_key(p)
        where o.property_count > 1
      ) place
      join v2.transaction t on t.address_id = place.address_id and t.deleted_at is null and t.duplicate_of_id is null
      where t.user_id = any(viewers.users) or exists (
        select from staging.stage_rezen_transactions s
        where s.v2_id = t.id and s.status = 'processed' and (s.user_id = any(viewers.users) or exists (
          select from staging.stage_rezen_transactions d
          where d.duplicate_of = s.id and d.user_id = any(viewers.users))))
    ) c
    where c.score > 0
    group by c.score
    order by c.score desc
    limit 1
  ) b on true
)
select order_id_raw, new_transaction_id as transaction_id, new_match_rule as match_rule, new_orderer_id as orderer_id,
  new_user_id as user_id, source, source_updated_at, deleted_at
from fresh
where (transaction_id, match_rule, orderer_id, user_id)
  is distinct from (new_transaction_id, new_match_rule, new_orderer_id, new_user_id)
