-- One day of one user.
-- Days without any are left out.
select a.day, a.user_id, a.texts, a.texts_incoming
from v2.agg_fub_activity_by_agent a
where a.deleted_at is null and a.texts > 0
  and a.day >= coalesce(%(since)s::date, current_date - 365) and a.day <= coalesce(%(until)s::date, current_date)
order by a.day, a.user_id
