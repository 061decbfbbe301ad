-- Deals of the CRM by pipeline, stage and status.
select d.pipeline_name, d.stage_name, d.status, count(*) as deals, sum(d.price) as price,
  sum(d.commission_value) as commission_value
from v2.fub_deals d
where d.deleted_at is null
group by 1, 2, 3
order by 1, 2, 3
