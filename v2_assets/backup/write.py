"""Making a backup: both databases, each in one snapshot, whole or not there."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from resources.embedded import DatabaseUrls
from resources.encryption import secret_keys
from resources.postgres import Database
from resources.processes import write_whole
from resources.settings import Settings
from v2_assets.backup.manifest import FILE, KEY_FILE, PARTS, BackupError, Manifest, digest, row_counts
from v2_assets.backup.programs import find, run
from v2_assets.keys import fingerprint
from v2_assets.schema import migrate

#: Tables dumped side by side. The platform goes on meanwhile, on the same cores.
JOBS = 2


def backup(
    settings: Settings, urls: DatabaseUrls, folder: Path, *, with_key: bool, say: Callable[[str], None] = print
) -> Manifest:
    """Writes a backup into `folder`, which must not exist yet or be empty; the platform may go on meanwhile.

    It is written beside it and gets its name when it is whole. The key that opens the stored credentials is left out
    unless `with_key`. Raises BackupError and DatabaseError; then no `folder` is left.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BackupError(f"{folder} is not empty.", hint="name a new folder; a backup overwrites nothing")
    draft = folder.with_name(f".{folder.name}.unfinished")
    shutil.rmtree(draft, ignore_errors=True)  # what an interrupted attempt left
    try:
        draft.mkdir(parents=True, mode=0o700)
        keys = secret_keys(settings)
        manifest = Manifest(
            postgres=0, revisions=sorted(migrate.applied(urls.v2)), keys=[fingerprint(key) for key in keys]
        )
        for part, url in (("v2", urls.v2), ("dagster", urls.dagster)):
            say(f"writing {part}")
            _dump(part, url, draft, manifest)
        if with_key:
            write_whole(draft / KEY_FILE, "\n".join(keys) + "\n")
        manifest.files = {
            str(path.relative_to(draft)): digest(path) for path in sorted(draft.rglob("*")) if path.is_file()
        }
        write_whole(draft / FILE, manifest.model_dump_json(indent=1) + "\n")
        if folder.exists():
            folder.rmdir()
        draft.rename(folder)
        _note(urls.v2, folder, sum((folder / name).stat().st_size for name in manifest.files))
    except OSError as error:
        raise BackupError(
            f"{folder} cannot be written: {error.strerror or type(error).__name__}.",
            hint="check free space and the rights of the folder above it",
        ) from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return manifest


def _note(url: str, folder: Path, size: int) -> None:
    """For whoever asks how old the last backup is; a database from before this table is backed up all the same."""
    with Database(url).connect() as connection:
        if connection.execute("select to_regclass('ops.backup')").fetchone() != (None,):
            connection.execute("insert into ops.backup (folder, bytes) values (%s, %s)", [folder.name, size])


def _dump(part: str, url: str, draft: Path, manifest: Manifest) -> None:
    # The counts and the dump see one snapshot, so that a restore can be compared with them to the row.
    with Database(url, statement_timeout_s=0).connect() as connection:
        connection.execute("set idle_in_transaction_session_timeout = 0")
        connection.execute("set transaction isolation level repeatable read, read only")
        manifest.postgres = connection.info.server_version // 10_000
        snapshot = (connection.execute("select pg_export_snapshot()").fetchone() or ("",))[0]
        manifest.rows[part] = row_counts(connection, part)
        schemas = [word for schema in PARTS[part] for word in ("--schema", schema)]
        arguments = [
            *("--format=directory", f"--file={draft / part}", f"--jobs={JOBS}", f"--snapshot={snapshot}"),
            # Owners and grants are the installation's: the migrations give them again.
            *("--no-owner", "--no-privileges", "--lock-wait-timeout=60000", *schemas),
        ]
        run(find("pg_dump", manifest.postgres), arguments, url, f"the dump of {part}")
