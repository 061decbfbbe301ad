"""Runs revisions on the connection that `v2_assets.schema.migrate` hands over; there is no alembic.ini."""

from alembic import context

from v2_assets.schema.migrations.options import OPTIONS

context.configure(connection=context.config.attributes["connection"], **OPTIONS)
with context.begin_transaction():
    context.run_migrations()
