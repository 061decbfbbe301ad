-- The down-line by tier.
-- Who left is counted apart.
select n.tier,
  count(*) filter (where n.left_network is not true) as agents,
  count(*) filter (where n.left_network is not true and n.status = 'Active') as active,
  count(*) filter (where n.left_network is not true and n.capped) as capped,
  count(*) filter (where n.left_network) as left_network
from v2.network_member n
where n.deleted_at is null
group by 1
order by 1
