-- Contributions whose user or deal became known after they were merged, and those that stand under two ids.
-- One payer, deal, tier, day and amount is one contribution: the smallest id stands for the others.
with mine as (
  -- What V1 alone told of the user and the deal stays where nobody knows better.
  select c.*, coalesce(a.user_id, case when c.source = 'v1' then c.user_id end) as new_user_id,
    coalesce(t.id, case when c.source = 'v1' then c.transaction_id end) as new_transaction_id,
    case when c.deleted_at is null and c.transaction_id_raw is not null and c.amount is not null then
      first_value(c.id) over (
        partition by c.receiving_agent_id, c.contributing_agent_id, c.transaction_id_raw, c.tier, c.contribution_date,
          c.amount, c.currency, c.missed, c.deleted_at is null
        order by c.contribution_id_raw)
    end as root
  from v2.contribution c
  join v2.agent a on a.id = c.receiving_agent_id
  left join v2.transaction t on t.source = 'rezen' and t.transaction_id_raw = c.transaction_id_raw
  where a.user_id = %(user_id)s or c.user_id = %(user_id)s
)
select contribution_id_raw, new_user_id as user_id, new_transaction_id as transaction_id,
  nullif(root, id) as duplicate_of_id, source, source_updated_at, deleted_at
from mine
where (user_id, transaction_id, duplicate_of_id) is distinct from (new_user_id, new_transaction_id, nullif(root, id))
