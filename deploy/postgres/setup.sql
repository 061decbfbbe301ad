-- The platform's databases, roles and logins, made once by an administrator of the server (docs/howto/install.md):
--   psql -v owner_password=… -v app_password=… -v hook_password=… -v people_password=… -f deploy/postgres/setup.sql postgres
-- Afterwards `v2 migrate` as v2_owner makes the tables and grants the roles what they may do.
\set ON_ERROR_STOP on

create role v2_writer nologin;
create role v2_reader nologin;
create role v2_api nologin;
create role v2_receiver nologin;

-- v2_owner owns the tables: migrations, backup, restore. v2_app runs the platform. v2_hook is the webhook receiver's,
-- v2_people that of people and reports.
create role v2_owner login password :'owner_password';
create role v2_app login password :'app_password' in role v2_writer;
create role v2_hook login password :'hook_password' in role v2_receiver;
create role v2_people login password :'people_password' in role v2_reader;

create database v2 owner v2_owner;
create database dagster owner v2_app;

revoke connect on database v2, dagster from public;
grant connect on database v2 to v2_app, v2_hook, v2_people;
