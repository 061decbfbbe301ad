-- Title users who became known as somebody of the product (or no longer are) after they were merged.
-- Only rows that differ come out; everything else stays as it is.
with mine as (
  select t.id from v2."user" u join v2.title_users t on t.email = u.email where u.id = %(user_id)s
  union
  select t.id from v2.title_users t where t.user_id = %(user_id)s
)
select t.title_user_id_raw, u.id as user_id, t.source, t.source_updated_at, t.deleted_at
from mine m
join v2.title_users t on t.id = m.id and t.source = 'title'
left join v2."user" u on u.email = t.email and u.deleted_at is null
where t.user_id is distinct from u.id
