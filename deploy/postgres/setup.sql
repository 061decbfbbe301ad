-- The platform's databases, roles and logins, made by an administrator of the server (docs/howto/install.md):
--   psql -v owner_password=… -v app_password=… -v hook_password=… -v front_password=… \
--     -v people_password=… -f deploy/postgres/setup.sql postgres
-- It may be run again, and after a part of it has failed: what is there stays, and the logins get these passwords.
-- The administrator need not be a superuser: CREATEROLE and CREATEDB are enough.
-- Afterwards `v2 migrate` as v2_owner makes the tables and grants the roles what they may do.
\set ON_ERROR_STOP on

-- Roles, and the logins with the role that each is in. v2_definer owns the functions that see past row-level security;
-- nobody logs in as it. v2_owner owns the tables: migrations, backup, restore. v2_app runs the platform. v2_hook is the
-- webhook receiver's, v2_front that of the read endpoints, v2_people that of people and reports.
select format('create role %I nologin', name)
from unnest(array['v2_writer', 'v2_reader', 'v2_api', 'v2_receiver', 'v2_definer']) name
where not exists (select from pg_roles where rolname = name) \gexec

-- Those that face the outside may never take the connections that the platform needs: twice what their pools hold
-- (V2_API_CONNECTIONS of the endpoints), since a restart may overlap with what the process before has left.
select format('create role %I login connection limit %s', name, most)
from (values ('v2_owner', -1), ('v2_app', -1), ('v2_hook', 4), ('v2_front', 16), ('v2_people', 20)) wanted (name, most)
where not exists (select from pg_roles where rolname = name) \gexec

alter role v2_owner password :'owner_password';
alter role v2_app password :'app_password';
alter role v2_hook password :'hook_password';
alter role v2_front password :'front_password';
alter role v2_people password :'people_password';

grant v2_definer to v2_owner;
grant v2_writer to v2_app;
grant v2_receiver to v2_hook;
grant v2_api to v2_front;
grant v2_reader to v2_people;

-- Who is no superuser may only give a database to a role that it is a member of itself.
select format('grant %I to current_user', name) from unnest(array['v2_owner', 'v2_app']) name
where not (select rolsuper from pg_roles where rolname = current_user) \gexec

select format('create database %I owner %I', name, owner)
from (values ('v2', 'v2_owner'), ('dagster', 'v2_app')) wanted (name, owner)
where not exists (select from pg_database where datname = name) \gexec

-- Nobody but the writers may make temporary objects, which can stand in the way of the platform's own.
revoke connect, temporary on database v2, dagster from public;
grant connect on database v2 to v2_app, v2_hook, v2_front, v2_people;
grant temporary on database v2 to v2_app;
