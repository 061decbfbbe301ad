-- Revision 0022: tokens and row-level security of the read endpoints.

CREATE TABLE ops.api_token (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    hash BYTEA NOT NULL,
    user_id BIGINT NOT NULL,
    scopes TEXT[] NOT NULL,
    label TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    revoked_at TIMESTAMP WITH TIME ZONE,
    last_used_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT api_token_pkey PRIMARY KEY (id),
    CONSTRAINT api_token_key UNIQUE (hash),
    CONSTRAINT api_token_scopes_check CHECK (scopes <> '{}' and scopes <@ array['read', 'tasks']),
    CONSTRAINT api_token_user_id_fkey FOREIGN KEY (user_id) REFERENCES v2."user" (id) DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX api_token_user_id_idx ON ops.api_token (user_id);

COMMENT ON TABLE ops.api_token IS 'One token of one user for the read endpoints.';
COMMENT ON COLUMN ops.api_token.id IS 'The token''s number, for listing and revoking.';
COMMENT ON COLUMN ops.api_token.hash IS 'SHA-256 of the token; the token itself is nowhere.';
COMMENT ON COLUMN ops.api_token.user_id IS 'The user who reads with it.';
COMMENT ON COLUMN ops.api_token.scopes IS 'What it may be used for.';
COMMENT ON COLUMN ops.api_token.label IS 'What it is for, in the words of who made it.';
COMMENT ON COLUMN ops.api_token.created_at IS 'When it was made.';
COMMENT ON COLUMN ops.api_token.expires_at IS 'When it ends by itself; null for never.';
COMMENT ON COLUMN ops.api_token.revoked_at IS 'When it was taken back.';
COMMENT ON COLUMN ops.api_token.last_used_at IS 'When it was last used, to the minute.';

CREATE TABLE ops.api_task (
    token_id BIGINT NOT NULL,
    idempotency_key TEXT NOT NULL,
    task TEXT NOT NULL,
    request TEXT NOT NULL,
    handle TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT api_task_pkey PRIMARY KEY (token_id, idempotency_key),
    CONSTRAINT api_task_token_id_fkey FOREIGN KEY (token_id) REFERENCES ops.api_token (id) DEFERRABLE INITIALLY DEFERRED
);

COMMENT ON TABLE ops.api_task IS 'One task that was started over HTTP.';
COMMENT ON COLUMN ops.api_task.token_id IS 'The token it was started with.';
COMMENT ON COLUMN ops.api_task.idempotency_key IS 'The caller''s name for the request; the same name starts nothing again.';
COMMENT ON COLUMN ops.api_task.task IS 'Which task.';
COMMENT ON COLUMN ops.api_task.request IS 'Digest of what was asked for; the same name for something else is refused.';
COMMENT ON COLUMN ops.api_task.handle IS 'What was started: a backfill or an onboarding job; null while it is being started.';
COMMENT ON COLUMN ops.api_task.created_at IS 'When it was asked for.';

-- A page is the end of one of these, read backwards or forwards from the last row of the page before.
DROP INDEX v2.fub_people_user_id_idx, v2.fub_people_day_idx, v2.fub_calls_user_id_idx, v2.fub_calls_day_idx,
    v2.fub_text_messages_user_id_idx, v2.fub_text_messages_day_idx,
    v2.fub_appointments_user_id_idx, v2.fub_appointments_day_idx;
CREATE INDEX fub_people_user_id_idx ON v2.fub_people (user_id, id) INCLUDE (deleted_at);
CREATE INDEX fub_people_day_idx ON v2.fub_people (user_id, fub_created_at, id) INCLUDE (deleted_at);
CREATE INDEX fub_calls_user_id_idx ON v2.fub_calls (user_id, id) INCLUDE (deleted_at);
CREATE INDEX fub_calls_day_idx ON v2.fub_calls (user_id, fub_created_at, id) INCLUDE (deleted_at);
CREATE INDEX fub_text_messages_user_id_idx ON v2.fub_text_messages (user_id, id) INCLUDE (deleted_at);
CREATE INDEX fub_text_messages_day_idx ON v2.fub_text_messages (user_id, sent, id) INCLUDE (deleted_at);
CREATE INDEX fub_appointments_user_id_idx ON v2.fub_appointments (user_id, id) INCLUDE (deleted_at);
CREATE INDEX fub_appointments_day_idx ON v2.fub_appointments (user_id, start, id) INCLUDE (deleted_at);

-- What a contact is found by: words of the name, the address, the number's digits; each by its beginning.
CREATE INDEX fub_people_search_idx ON v2.fub_people USING gin (to_tsvector('simple'::regconfig, people_name),
    to_tsvector('simple'::regconfig, email), to_tsvector('simple'::regconfig, regexp_replace(phone, '[^0-9]', '', 'g')));

-- Who is asking, and what is theirs. All policies are made of these (v2_assets/schema/visibility.py): each is computed
-- once per statement, reads past row-level security, and takes nothing from the caller but the hash of a token in the
-- transaction's v2.token. Whoever does not hold a token is nobody, whatever else is set.

CREATE FUNCTION ops.api_me() RETURNS TABLE (user_id bigint, team_id bigint)
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = '' AS $$
#variable_conflict use_column
begin
    return query
        select u.id, case when r.is_account_admin then coalesce(r.team_id, u.team_id) end
        from ops.api_token t
        join v2."user" u on u.id = t.user_id
        left join v2.user_roles r on r.user_id = u.id and r.deleted_at is null
        where t.hash = decode(nullif(current_setting('v2.token', true), ''), 'hex')
          and t.revoked_at is null and (t.expires_at is null or t.expires_at > now())
          and u.active and u.deleted_at is null;
end $$;
COMMENT ON FUNCTION ops.api_me IS 'The user whose token is in v2.token, and the team of which that user is account admin.';

CREATE FUNCTION ops.api_user() RETURNS bigint
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = '' AS $$
begin
    return (select m.user_id from ops.api_me() m);
end $$;
COMMENT ON FUNCTION ops.api_user IS 'The user whose token is in v2.token; null for nobody.';

CREATE FUNCTION ops.api_teams() RETURNS bigint[]
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = '' AS $$
begin
    return array(select m.team_id from ops.api_me() m where m.team_id is not null);
end $$;
COMMENT ON FUNCTION ops.api_teams IS 'Teams of which the user is account admin.';

CREATE FUNCTION ops.api_own_teams() RETURNS bigint[]
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = '' AS $$
begin
    return array(
        select t.id from ops.api_me() m join v2."user" u on u.id = m.user_id
        cross join lateral (values (m.team_id), (u.team_id)) t (id) where t.id is not null);
end $$;
COMMENT ON FUNCTION ops.api_own_teams IS 'Teams the user is in.';

CREATE FUNCTION ops.api_users() RETURNS bigint[]
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = '' AS $$
declare
    me bigint;
    team bigint;
begin
    select m.user_id, m.team_id into me, team from ops.api_me() m;
    if me is null then
        return '{}';
    elsif team is null then
        return array[me];
    end if;
    return array[me] || array(
        select u.id from v2."user" u where u.team_id = team and u.id <> me and u.deleted_at is null);
end $$;
COMMENT ON FUNCTION ops.api_users IS 'Users whose rows the user sees: the user, and for an account admin the team''s.';

CREATE FUNCTION ops.api_own_agents() RETURNS bigint[]
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = '' AS $$
declare
    me bigint := ops.api_user();
begin
    return array(
        select a.id from v2.agent a where a.user_id = me
        union
        select u.agent_id from v2."user" u where u.id = me and u.agent_id is not null);
end $$;
COMMENT ON FUNCTION ops.api_own_agents IS 'Agents that the user is.';

-- A seat on the roster does not hand the rows of a user who belongs to another team of the product to this one's admin.
CREATE FUNCTION ops.api_agents() RETURNS bigint[]
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = '' AS $$
declare
    users bigint[] := ops.api_users();
    team bigint := (select m.team_id from ops.api_me() m);
begin
    return array(
        select a.id from v2.agent a where a.user_id = any(users)
        union
        select u.agent_id from v2."user" u where u.id = any(users) and u.agent_id is not null
        union
        select m.agent_id from v2.team_members m
        where m.team_id = team and m.active is not false and m.deleted_at is null
          and not exists (
            select from v2."user" u left join v2.agent a on a.id = m.agent_id
            where (u.agent_id = m.agent_id or u.id = a.user_id) and u.team_id <> team));
end $$;
COMMENT ON FUNCTION ops.api_agents IS 'Agents whose rows the user sees: the user''s, and for an account admin the roster''s.';

-- The users' own, the agents' own, the team's, and those in which the agents take part (not for the other side).
CREATE FUNCTION ops.api_deals() RETURNS bigint[]
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = '' AS $$
declare
    users bigint[] := ops.api_users();
    agents bigint[] := ops.api_agents();
    teams bigint[] := ops.api_teams();
begin
    return array(
        select t.id from v2.transaction t where t.user_id = any(users)
        union
        select t.id from v2.transaction t where t.transaction_owner_agent_id = any(agents)
        union
        select t.id from v2.transaction t where t.team_id = any(teams)
        union
        select p.transaction_id from v2.participant p
        where p.agent_id = any(agents) and p.transaction_id is not null and p.external is not true
          and p.deleted_at is null);
end $$;
COMMENT ON FUNCTION ops.api_deals IS 'Deals the user sees.';

CREATE FUNCTION ops.api_listings() RETURNS bigint[]
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = '' AS $$
declare
    users bigint[] := ops.api_users();
    agents bigint[] := ops.api_agents();
    teams bigint[] := ops.api_teams();
begin
    return array(
        select l.id from v2.listing l where l.user_id = any(users)
        union
        select l.id from v2.listing l where l.transaction_owner_agent_id = any(agents)
        union
        select l.id from v2.listing l where l.team_id = any(teams)
        union
        select p.listing_id from v2.participant p
        where p.agent_id = any(agents) and p.listing_id is not null and p.external is not true
          and p.deleted_at is null);
end $$;
COMMENT ON FUNCTION ops.api_listings IS 'Listings the user sees.';

-- What an endpoint looks up for the rows of a page: the name and nothing else of an agent whom one may know.

CREATE FUNCTION ops.api_agent_names(ids bigint[]) RETURNS TABLE (id bigint, value text)
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = '' AS $$
#variable_conflict use_column
declare
    users bigint[] := ops.api_users();
    agents bigint[] := ops.api_agents();
begin
    return query
        select a.id, a.display_name from v2.agent a
        where a.id = any(ids) and (a.id = any(agents) or exists (
            select from v2.network_member n
            where n.downline_agent_id = a.id and (n.user_id = any(users) or n.agent_id = any(agents))));
end $$;
COMMENT ON FUNCTION ops.api_agent_names IS 'Names of those of these agents whom the user sees or has in the down-line.';

CREATE FUNCTION ops.api_addresses(ids bigint[]) RETURNS TABLE (id bigint, value text)
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = '' AS $$
#variable_conflict use_column
declare
    deals bigint[] := ops.api_deals();
    listings bigint[] := ops.api_listings();
begin
    return query
        select a.id, a.one_line from v2.address a
        where a.id = any(ids) and (
            exists (select from v2.transaction t where t.address_id = a.id and t.id = any(deals))
            or exists (select from v2.listing l where l.address_id = a.id and l.id = any(listings)));
end $$;
COMMENT ON FUNCTION ops.api_addresses IS 'Those of these addresses at which the user sees a deal or a listing.';

-- Under row-level security an index may not be asked with @@ (not leakproof), so this function asks it, for the caller.
-- A word is sought as it stands (an address, or the beginning of one) and as the parser of texts splits it (o'brien);
-- without letters it is a number, of which only digits count.
CREATE FUNCTION ops.api_find_fub_people(sought text) RETURNS bigint[]
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = '' AS $$
declare
    users bigint[] := ops.api_users();
    word text;
    quoted text;
    query tsquery;
begin
    if sought !~ '[[:alpha:]]' then
        sought := regexp_replace(sought, '[^0-9]', '', 'g');
    end if;
    for word in select w from regexp_split_to_table(lower(btrim(sought)), '\s+') w where w <> '' loop
        quoted := '''' || replace(replace(word, '\', '\\'), '''', '''''') || ''':*';
        query := coalesce(query && (quoted::tsquery || to_tsquery('simple', quoted)),
            quoted::tsquery || to_tsquery('simple', quoted));
    end loop;
    return array(
        select p.id from v2.fub_people p
        where (to_tsvector('simple'::regconfig, p.people_name) @@ query
            or to_tsvector('simple'::regconfig, p.email) @@ query
            or to_tsvector('simple'::regconfig, regexp_replace(p.phone, '[^0-9]', '', 'g')) @@ query)
          and p.user_id = any(users) and p.deleted_at is null);
end $$;
COMMENT ON FUNCTION ops.api_find_fub_people IS 'Contacts the user sees whose name, address or number has, for each word sought, one that begins so.';

-- The application's own calls.

CREATE FUNCTION ops.api_enter(token_hash text) RETURNS TABLE (token_id bigint, user_id bigint, scopes text[])
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = '' AS $$
begin
    perform set_config('v2.token', token_hash, true);
    return query
        select t.id, t.user_id, t.scopes from ops.api_token t
        where t.hash = decode(token_hash, 'hex') and t.user_id = ops.api_user();
end $$;
COMMENT ON FUNCTION ops.api_enter IS 'Puts a token''s hash into the transaction, and says whose it is; no row for nobody''s.';

CREATE FUNCTION ops.api_used() RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = '' AS $$
begin
    update ops.api_token t set last_used_at = date_trunc('minute', now())
    where t.hash = decode(current_setting('v2.token'), 'hex') and t.user_id = ops.api_user()
      and t.last_used_at is distinct from date_trunc('minute', now());
end $$;
COMMENT ON FUNCTION ops.api_used IS 'Notes that the token was used.';

-- Starting a task under a name: 'begin' the first time, 'same' with what was started, or 'other' for another request.
CREATE FUNCTION ops.api_task_begin(name text, task_name text, digest text) RETURNS TABLE (outcome text, handle text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = '' AS $$
#variable_conflict use_column
declare
    token bigint := (
        select t.id from ops.api_token t
        where t.hash = decode(current_setting('v2.token'), 'hex') and t.user_id = ops.api_user()
          and 'tasks' = any(t.scopes));
begin
    if token is null then
        raise exception 'the token may not start tasks';
    end if;
    insert into ops.api_task (token_id, idempotency_key, task, request) values (token, name, task_name, digest)
    on conflict do nothing;
    if found then
        return query select 'begin', null::text;
        return;
    end if;
    return query
        select case when k.task = task_name and k.request = digest then 'same' else 'other' end, k.handle
        from ops.api_task k where k.token_id = token and k.idempotency_key = name;
end $$;
COMMENT ON FUNCTION ops.api_task_begin IS 'Claims a name for a task of the token, or says what was started under it.';

-- A null handle gives the name free again: nothing was started.
CREATE FUNCTION ops.api_task_end(name text, started text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = '' AS $$
declare
    token bigint := (
        select t.id from ops.api_token t
        where t.hash = decode(current_setting('v2.token'), 'hex') and t.user_id = ops.api_user());
begin
    if started is null then
        delete from ops.api_task k where k.token_id = token and k.idempotency_key = name and k.handle is null;
    else
        update ops.api_task k set handle = started where k.token_id = token and k.idempotency_key = name;
    end if;
end $$;
COMMENT ON FUNCTION ops.api_task_end IS 'Notes what was started under a name.';

-- What was started with the tokens of the caller's user.
CREATE FUNCTION ops.api_tasks() RETURNS TABLE (task text, handle text, idempotency_key text, created_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = '' AS $$
#variable_conflict use_column
begin
    return query
        select k.task, k.handle, k.idempotency_key, k.created_at
        from ops.api_task k join ops.api_token t on t.id = k.token_id
        where t.user_id = ops.api_user() and k.handle is not null
        order by k.created_at desc;
end $$;
COMMENT ON FUNCTION ops.api_tasks IS 'Tasks that the user started, newest first.';

-- Whom a caller may mean by a name: an id, an e-mail or an ad_user_id of one of those whose rows he sees.
CREATE FUNCTION ops.api_named(named text) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = '' AS $$
declare
    users bigint[] := ops.api_users();
begin
    return (
        select u.id from v2."user" u
        where u.id = any(users) and u.deleted_at is null and (
            u.id::text = named or u.email = lower(named) or exists (
                select from v2.user_identity i
                where i.user_id = u.id and i.kind = 'ad_user_id' and i.external_id = named))
        order by (u.id::text = named) desc limit 1);
end $$;
COMMENT ON FUNCTION ops.api_named IS 'The user meant, if the caller sees the rows of that user; else null.';

-- What `v2 onboard --retry` and the endpoint do.
CREATE FUNCTION ops.onboard_again(for_credentials bigint) RETURNS bigint
LANGUAGE sql VOLATILE SET search_path = '' AS $$
    with made as (
        insert into ops.onboarding_job (user_id, integration, credentials_id, status, attempt)
        select j.user_id, j.integration, j.credentials_id, 'New', max(j.attempt) + 1
        from ops.onboarding_job j where j.credentials_id = for_credentials
        group by 1, 2, 3
        having bool_and(j.status in ('Complete', 'Partial', 'Error'))
        returning 1)
    select count(*) from made;
$$;
COMMENT ON FUNCTION ops.onboard_again IS 'Another attempt, unless one is still open: 1 or 0.';

CREATE FUNCTION ops.api_onboard_again(for_user bigint, on_platform text) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = '' AS $$
begin
    if not for_user = any(ops.api_users()) or not exists (
        select from ops.api_token t
        where t.hash = decode(current_setting('v2.token'), 'hex') and 'tasks' = any(t.scopes)) then
        raise exception 'the token may not do this';
    end if;
    return (
        select coalesce(sum(ops.onboard_again(c.id)), 0) from v2.credentials c
        where c.user_id = for_user and c.platform = on_platform and c.active and c.deleted_at is null);
end $$;
COMMENT ON FUNCTION ops.api_onboard_again IS 'ops.onboard_again for the connections of a user whose rows the caller sees.';
