-- Income of one agent of one kind in one currency.
select i.agent_id, a.display_name as agent_name, i.income_type, i.currency, sum(i.amount) as amount
from v2.income i
left join v2.agent a on a.id = i.agent_id
where i.deleted_at is null
  and i.income_date >= coalesce(%(since)s::date, current_date - 365)
  and i.income_date <= coalesce(%(until)s::date, current_date)
group by 1, 2, 3, 4
order by 1, 3, 4
