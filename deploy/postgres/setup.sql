-- The platform's databases, roles and logins, made once by an administrator of the server (docs/howto/install.md):
--   psql -v owner_password=… -v app_password=… -v hook_password=… -v front_password=… \
--     -v people_password=… -f deploy/postgres/setup.sql postgres
-- Afterwards `v2 migrate` as v2_owner makes the tables and grants the roles what they may do.
\set ON_ERROR_STOP on

create role v2_writer nologin;
create role v2_reader nologin;
create role v2_api nologin;
create role v2_receiver nologin;
-- Owns the functions that see past row-level security; nobody logs in as it.
create role v2_definer nologin;

-- v2_owner owns the tables: migrations, backup, restore. v2_app runs the platform. v2_hook is the webhook receiver's,
-- v2_front that of the read endpoints, v2_people that of people and reports.
create role v2_owner login password :'owner_password' in role v2_definer;
create role v2_app login password :'app_password' in role v2_writer;
-- Those that face the outside may never take the connections that the platform needs: twice what their pools hold
-- (V2_API_CONNECTIONS of the endpoints), since a restart may overlap with what the process before has left.
create role v2_hook login password :'hook_password' connection limit 4 in role v2_receiver;
create role v2_front login password :'front_password' connection limit 16 in role v2_api;
create role v2_people login password :'people_password' connection limit 20 in role v2_reader;

create database v2 owner v2_owner;
create database dagster owner v2_app;

-- Nobody but the writers may make temporary objects, which can stand in the way of the platform's own.
revoke connect, temporary on database v2, dagster from public;
grant connect on database v2 to v2_app, v2_hook, v2_front, v2_people;
grant temporary on database v2 to v2_app;
