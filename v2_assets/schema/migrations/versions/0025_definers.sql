-- Revision 0025: functions that see past row-level security.

-- With an empty search_path Postgres looks for a type in the caller's pg_temp first: a domain there named `text`, whose
-- check calls a function of the caller's, ran that function with the rights of ours. Where pg_temp is named, it is asked
-- last. The functions that are called by these count too.
DO $$ DECLARE f regprocedure; BEGIN
    FOR f IN SELECT p.oid FROM pg_proc p
        WHERE p.pronamespace = 'ops'::regnamespace AND (p.prosecdef OR p.proname = 'onboard_again')
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, pg_temp', f);
    END LOOP;
END $$;

CREATE OR REPLACE FUNCTION ops.api_switch() RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    select coalesce(jsonb_agg(jsonb_build_array(d.endpoint, d.user_id, d.action, d.share)), '[]')
    from (
        select distinct on (endpoint, user_id) * from ops.switch_decision
        where (select ops.api_user()) is not null and (user_id is null or user_id = (select ops.api_user()))
        order by endpoint, user_id, id desc) d
$$;
COMMENT ON FUNCTION ops.api_switch IS 'The newest decision about each endpoint and about the caller: [endpoint, user, action, share]; none without a token.';

CREATE OR REPLACE FUNCTION ops.api_shadow_reason(of_tables text[], of_kinds text[], of_column text, of_keys jsonb) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    with newest as (
        select c.table_name, c.run_id from (
            select t.table_name, t.run_id, row_number() over (partition by t.table_name order by t.run_id desc) as place
            from ops.comparison_table t join ops.comparison_run r on r.id = t.run_id
            where t.table_name = any(of_tables) and t.status = 'compared' and r.status = 'complete' and r.scope = 'full'
              and (select ops.api_user()) is not null
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
COMMENT ON FUNCTION ops.api_shadow_reason IS 'Why the caller''s answer differs: the row''s own difference, else what those of its kind have in common; null if unknown, or without a token.';

CREATE OR REPLACE FUNCTION ops.api_shadow_keep(of_endpoint text, outcome text, differences jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
declare
    today date := (now() at time zone 'UTC')::date;
begin
    if ops.api_user() is null then
        raise exception 'the token may not do this' using errcode = 'insufficient_privilege';
    end if;
    if of_endpoint !~ '^(/[a-z0-9_-]{1,50}){1,5}$' or outcome not in ('compared', 'failed', 'skipped') then
        raise exception 'these are no counts of an answer' using errcode = 'invalid_parameter_value';
    end if;
    insert into ops.shadow_count as c (endpoint, day, requests, same, failed, skipped)
    values (of_endpoint, today, (outcome = 'compared')::int, (outcome = 'compared' and differences = '[]')::int,
        (outcome = 'failed')::int, (outcome = 'skipped')::int)
    on conflict (endpoint, day) do update set requests = c.requests + excluded.requests, same = c.same + excluded.same,
        failed = c.failed + excluded.failed, skipped = c.skipped + excluded.skipped;
    -- In one order, so that two requests of one endpoint never wait for each other in a circle.
    insert into ops.shadow_difference as d (endpoint, day, kind, field, reason, times)
    select of_endpoint, today, w.words[1], w.words[2], w.words[3], count(*)
    from jsonb_array_elements(differences) e
    -- A field's name is V1's, or whoever's who has the endpoints' login: people read it on the pages about the switch.
    cross join lateral (
        select array_agg(left(regexp_replace(v.value, '[^a-zA-Z0-9_ .:-]', '?', 'g'), 100) order by v.place) as words
        from jsonb_array_elements_text(e.value) with ordinality v (value, place)) w
    group by 3, 4, 5 order by 3, 4, 5 limit 1000
    on conflict (endpoint, day, kind, field, reason) do update set times = d.times + excluded.times, last_at = now();
end $$;
COMMENT ON FUNCTION ops.api_shadow_keep IS 'Adds one request of the caller''s to the counts of an endpoint; differences are [[kind, field, reason], …].';
