-- Revision 0023: shadow reading, counts and differences of answers.

CREATE TABLE ops.shadow_count (
    endpoint TEXT NOT NULL,
    day DATE NOT NULL,
    requests BIGINT DEFAULT 0 NOT NULL,
    same BIGINT DEFAULT 0 NOT NULL,
    failed BIGINT DEFAULT 0 NOT NULL,
    skipped BIGINT DEFAULT 0 NOT NULL,
    CONSTRAINT shadow_count_pkey PRIMARY KEY (endpoint, day)
);

COMMENT ON TABLE ops.shadow_count IS 'One endpoint on one day.';
COMMENT ON COLUMN ops.shadow_count.endpoint IS 'The endpoint''s path.';
COMMENT ON COLUMN ops.shadow_count.day IS 'The day, in UTC.';
COMMENT ON COLUMN ops.shadow_count.requests IS 'Requests that both systems answered and that were compared.';
COMMENT ON COLUMN ops.shadow_count.same IS 'Of these, requests whose answers were the same.';
COMMENT ON COLUMN ops.shadow_count.failed IS 'Requests that V2 answered with an error, or not in time.';
COMMENT ON COLUMN ops.shadow_count.skipped IS 'Requests that were not compared because too many waited.';

CREATE TABLE ops.shadow_difference (
    endpoint TEXT NOT NULL,
    day DATE NOT NULL,
    kind TEXT NOT NULL,
    field TEXT NOT NULL,
    reason TEXT NOT NULL,
    times BIGINT DEFAULT 0 NOT NULL,
    last_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT shadow_difference_pkey PRIMARY KEY (endpoint, day, kind, field, reason)
);

COMMENT ON TABLE ops.shadow_difference IS 'One way in which one endpoint''s answers differed on one day.';
COMMENT ON COLUMN ops.shadow_difference.endpoint IS 'The endpoint''s path.';
COMMENT ON COLUMN ops.shadow_difference.day IS 'The day, in UTC.';
COMMENT ON COLUMN ops.shadow_difference.kind IS 'What differs, e.g. value, row or status.';
COMMENT ON COLUMN ops.shadow_difference.field IS 'The field, by V2''s name; empty for what is no field.';
COMMENT ON COLUMN ops.shadow_difference.reason IS 'Why, in the words of the comparison.';
COMMENT ON COLUMN ops.shadow_difference.times IS 'How often.';
COMMENT ON COLUMN ops.shadow_difference.last_at IS 'When it was last seen.';

-- What the endpoints' role may do about it: nothing but these, and the second only about the caller's own rows.

CREATE FUNCTION ops.api_switch() RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    select coalesce(jsonb_agg(jsonb_build_array(d.endpoint, d.user_id, d.action, d.share)), '[]')
    from (select distinct on (endpoint, user_id) * from ops.switch_decision order by endpoint, user_id, id desc) d
$$;
COMMENT ON FUNCTION ops.api_switch IS 'The newest decision about each endpoint and user: [endpoint, user, action, share].';

CREATE FUNCTION ops.api_shadow_reason(of_tables text[], of_kinds text[], of_column text, of_keys jsonb) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    with newest as (
        select c.table_name, c.run_id from (
            select t.table_name, t.run_id, row_number() over (partition by t.table_name order by t.run_id desc) as place
            from ops.comparison_table t join ops.comparison_run r on r.id = t.run_id
            where t.table_name = any(of_tables) and t.status = 'compared' and r.status = 'complete' and r.scope = 'full'
        ) c where c.place = 1
    ),
    itself as (
        select d.reason from newest n join ops.comparison_diff d on d.run_id = n.run_id and d.table_name = n.table_name
        where of_keys <> '{}' and d.kind = any(of_kinds) and (of_column is null or d.cells ? of_column)
          and (d.user_id is null or d.user_id = ops.api_user())
          and not exists (select from jsonb_each_text(of_keys) k where d.keys ->> k.key is distinct from k.value)
        order by d.id desc limit 1
    ),
    alike as (
        select c.reason, sum(c.rows) as rows from newest n
        join ops.comparison_count c on c.run_id = n.run_id and c.table_name = n.table_name
        where c.kind = any(of_kinds) and (c.user_id is null or c.user_id = ops.api_user()) group by 1
    )
    select coalesce(
        (select reason from itself),
        case when not exists (select from alike where reason in ('unknown', 'bug'))
             then (select reason from alike order by rows desc, reason limit 1) end
    )
$$;
COMMENT ON FUNCTION ops.api_shadow_reason IS 'Why the caller''s answer differs: the row''s own difference, else what those of its kind have in common; null if unknown.';

CREATE FUNCTION ops.api_shadow_keep(of_endpoint text, outcome text, differences jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = '' AS $$
declare
    today date := (now() at time zone 'UTC')::date;
begin
    insert into ops.shadow_count as c (endpoint, day, requests, same, failed, skipped)
    values (of_endpoint, today, (outcome = 'compared')::int, (outcome = 'compared' and differences = '[]')::int,
        (outcome = 'failed')::int, (outcome = 'skipped')::int)
    on conflict (endpoint, day) do update set requests = c.requests + excluded.requests, same = c.same + excluded.same,
        failed = c.failed + excluded.failed, skipped = c.skipped + excluded.skipped;
    -- In one order, so that two requests of one endpoint never wait for each other in a circle.
    insert into ops.shadow_difference as d (endpoint, day, kind, field, reason, times)
    select of_endpoint, today, e.value ->> 0, e.value ->> 1, e.value ->> 2, count(*)
    from jsonb_array_elements(differences) e group by 3, 4, 5 order by 3, 4, 5
    on conflict (endpoint, day, kind, field, reason) do update set times = d.times + excluded.times, last_at = now();
end $$;
COMMENT ON FUNCTION ops.api_shadow_keep IS 'Adds one request to the counts of an endpoint; differences are [[kind, field, reason], …].';
