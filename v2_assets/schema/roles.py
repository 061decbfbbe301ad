"""Database roles: who may read and write what.

v2_writer: the pipelines. v2_reader: people and reports, without credentials and staged payloads. v2_api: the read
endpoints; its tables and row-level security are `visibility`'s. v2_receiver:
the webhook receiver, which may add to its inbox and do nothing else. All are NOLOGIN: an installation grants them to
the logins it makes.
"""

from __future__ import annotations

from sqlalchemy import Connection

ROLES = ("v2_writer", "v2_reader", "v2_api", "v2_receiver")

# Roles belong to the whole server: two databases may be upgraded at once, and the loser of that race is fine too.
CREATE = """
do $$ begin
    create role {role} nologin;
exception when duplicate_object or unique_violation then null;
end $$
"""

_GRANTS = """
grant usage on schema staging, v2, ops, v1 to v2_writer;
grant select, insert, update, delete, truncate on all tables in schema staging, v2, ops, v1 to v2_writer;
grant usage on all sequences in schema staging, v2, ops, v1 to v2_writer;
grant usage on schema v2, ops to v2_reader;
grant select on all tables in schema v2 to v2_reader;
revoke all on v2.credentials from v2_reader;
grant select on ops.sync_state, ops.code_map, ops.merge_run, ops.onboarding_job, ops.sweep to v2_reader;
grant usage on schema ops to v2_receiver;
grant insert on ops.webhook_inbox to v2_receiver;
"""


def grant_roles(connection: Connection) -> str | None:
    """Create missing roles and repeat the grants. Returns a note when this login may not create roles."""
    existing = set(
        connection.exec_driver_sql("select rolname from pg_roles where rolname = any(%s)", (list(ROLES),)).scalars()
    )
    missing = [role for role in ROLES if role not in existing]
    may_create = connection.exec_driver_sql(
        "select rolsuper or rolcreaterole from pg_roles where rolname = current_user"
    ).scalar_one()
    if missing and not may_create:
        return (
            f"Roles {', '.join(missing)} do not exist and this login may not create them: no grants were made. "
            "Let an administrator create them (NOLOGIN) and migrate again."
        )
    for role in missing:
        connection.exec_driver_sql(CREATE.format(role=role))
    connection.exec_driver_sql(_GRANTS)
    return None
