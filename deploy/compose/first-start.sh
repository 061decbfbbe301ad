#!/bin/sh
# `start` is the entrypoint of Postgres's container: it refuses the passwords of example.env, and starts the server.
# Without an argument it is run by the image on its first start only: the databases, roles and logins.
set -eu
if [ "${1:-}" = start ]; then
    for name in POSTGRES_PASSWORD OWNER_PASSWORD APP_PASSWORD HOOK_PASSWORD FRONT_PASSWORD PEOPLE_PASSWORD; do
        eval "value=\${$name:-}"
        case $value in
        '' | *change-me*)
            echo "$name is empty or still the example's: change every line of deploy/compose/.env" >&2
            exit 78
            ;;
        esac
    done
    shift
    exec docker-entrypoint.sh "$@"
fi
psql -v owner_password="$OWNER_PASSWORD" -v app_password="$APP_PASSWORD" -v hook_password="$HOOK_PASSWORD" \
    -v front_password="$FRONT_PASSWORD" -v people_password="$PEOPLE_PASSWORD" -f /opt/setup.sql --username postgres postgres
