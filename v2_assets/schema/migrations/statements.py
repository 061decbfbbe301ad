"""Running a revision's SQL file."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection


def run_sql_beside(revision: str, connection: Connection) -> None:
    """Execute the `.sql` file that lies beside the revision module `revision` (its `__file__`), as it stands.

    Goes to the driver itself: a revision has no parameters, and a per-cent sign in it is just one.
    """
    script = Path(revision).with_suffix(".sql").read_text(encoding="utf-8")
    with closing(connection.connection.cursor()) as cursor:
        cursor.execute(script)
