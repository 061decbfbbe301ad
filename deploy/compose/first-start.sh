#!/bin/sh
# Run by the image of Postgres on its first start only: the databases, roles and logins.
set -eu
psql -v owner_password="$OWNER_PASSWORD" -v app_password="$APP_PASSWORD" -v hook_password="$HOOK_PASSWORD" \
    -v people_password="$PEOPLE_PASSWORD" -f /opt/setup.sql --username postgres postgres
