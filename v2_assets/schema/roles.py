"""Database roles: who may read and write what.

v2_writer: the pipelines. v2_reader: people and reports, without credentials and staged payloads. v2_api: the read
endpoints; its tables and row-level security are `visibility`'s. v2_receiver: the webhook receiver, which may add to its
inbox and do nothing else. v2_definer owns the functions that see past row-level security, so that one that is
turned against us reads what these functions read and no more. All are NOLOGIN: an installation grants the first four to
the logins it makes, and the last to the login that migrates. docs/reference/privileges.md has what comes of it.
"""

from __future__ import annotations

from sqlalchemy import Connection

ROLES = ("v2_writer", "v2_reader", "v2_api", "v2_receiver")
DEFINER = "v2_definer"
#: Tables of schema v1 that its functions read. They are made anew by each snapshot, which grants them.
DEFINER_READS_OF_V1 = ("transaction",)

# Roles belong to the whole server: two databases may be upgraded at once, and the loser of that race is fine too.
CREATE = """
do $$ begin
    create role {role} nologin;
exception when duplicate_object or unique_violation then null;
end $$
"""

# Temporary objects are the writers' (a merge works in temporary tables): who cannot make any cannot put a type or a
# function of its own in another's way. Whoever connects does so as a member of a role.
_GRANTS = """
grant usage on schema staging, v2, ops, v1 to v2_writer;
grant create on schema v1 to v2_writer;
grant select, insert, update, delete, truncate on all tables in schema staging, v2, ops, v1 to v2_writer;
grant usage on all sequences in schema staging, v2, ops, v1 to v2_writer;
grant usage on schema v2, ops to v2_reader;
grant select on all tables in schema v2 to v2_reader;
revoke all on v2.credentials from v2_reader;
grant select on ops.sync_state, ops.code_map, ops.merge_run, ops.onboarding_job, ops.sweep to v2_reader;
grant usage on schema ops to v2_receiver;
grant insert on ops.webhook_inbox to v2_receiver;
do $$ declare
    base name := current_database();
    f regprocedure;
begin
    execute format('revoke connect, temporary on database %%I from public', base);
    execute format('grant connect on database %%I to v2_writer, v2_reader, v2_api, v2_receiver', base);
    execute format('grant temporary on database %%I to v2_writer', base);
    for f in select p.oid from pg_proc p
        where p.pronamespace = 'ops'::regnamespace and not p.proname ^@ 'api_'
          and has_function_privilege('public', p.oid, 'execute')
    loop
        execute format('revoke all on function %%s from public; grant execute on function %%1$s to v2_writer', f);
    end loop;
end $$;
"""

# What the functions of revisions 0022 to 0025 read and write, and nothing else of it: of credentials not the keys.
_DEFINER_GRANTS = """
grant usage on schema v2, ops, v1 to v2_definer;
grant select on v2."user", v2.user_roles, v2.user_identity, v2.team_members, v2.agent, v2.transaction, v2.listing,
    v2.participant, v2.network_member, v2.address, v2.fub_people, ops.api_token, ops.api_task, ops.switch_decision,
    ops.comparison_run, ops.comparison_table, ops.comparison_count, ops.comparison_diff, ops.onboarding_job,
    ops.shadow_count, ops.shadow_difference to v2_definer;
grant select (id, user_id, platform, active, deleted_at) on v2.credentials to v2_definer;
grant update (last_used_at) on ops.api_token to v2_definer;
grant insert, update, delete on ops.api_task to v2_definer;
grant insert on ops.onboarding_job to v2_definer;
grant insert, update on ops.shadow_count, ops.shadow_difference to v2_definer;
grant execute on function ops.onboard_again(bigint) to v2_definer;
do $$ begin
    if to_regclass('v1.transaction') is not null then
        grant select on v1.transaction to v2_definer;
    end if;
exception when insufficient_privilege then null;  -- the writers' own: the next snapshot grants it
end $$;
"""

# A new owner has to have the right to create in the schema, for as long as the statement takes.
_OWN = """
do $$ declare f regprocedure; begin
    for f in select p.oid from pg_proc p
        where p.pronamespace = 'ops'::regnamespace and p.prosecdef and p.proowner <> 'v2_definer'::regrole
    loop
        execute format('grant create on schema ops to v2_definer; alter function %%s owner to v2_definer;'
            ' revoke create on schema ops from v2_definer', f);
    end loop;
end $$
"""


def grant_roles(connection: Connection) -> list[str]:
    """Create missing roles and repeat the grants. Returns a note for each thing that this login may not do."""
    may_create = connection.exec_driver_sql(
        "select rolsuper or rolcreaterole from pg_roles where rolname = current_user"
    ).scalar_one()
    missing = _missing(connection, (*ROLES, DEFINER))
    if may_create:
        for role in missing:
            connection.exec_driver_sql(CREATE.format(role=role))
        if DEFINER in missing:
            connection.exec_driver_sql("grant v2_definer to current_user")
        missing = []
    notes = []
    if others := [role for role in missing if role != DEFINER]:
        notes.append(
            f"Roles {', '.join(others)} do not exist and this login may not create them: no grants were made. "
            "Let an administrator create them (NOLOGIN) and migrate again."
        )
    else:
        connection.exec_driver_sql(_GRANTS)
    if (
        DEFINER not in missing
        and connection.exec_driver_sql("select pg_has_role(current_user, 'v2_definer', 'member')").scalar_one()
    ):
        connection.exec_driver_sql(_DEFINER_GRANTS)
    else:
        notes.append(
            "This login is no member of v2_definer, so the functions of the read endpoints keep an owner who may do "
            "more than they need. Let an administrator `create role v2_definer nologin; grant v2_definer to` this "
            "login, and migrate again."
        )
    return notes


def own_functions(connection: Connection) -> None:
    """Hand the functions that see past row-level security to their role; does nothing where that is not ours to do."""
    ours = connection.exec_driver_sql(
        "select exists (select from pg_roles where rolname = 'v2_definer' and pg_has_role(current_user, oid, 'member'))"
    ).scalar_one()
    if ours:
        connection.exec_driver_sql(_OWN)


def _missing(connection: Connection, roles: tuple[str, ...]) -> list[str]:
    existing = set(
        connection.exec_driver_sql("select rolname from pg_roles where rolname = any(%s)", (list(roles),)).scalars()
    )
    return [role for role in roles if role not in existing]
