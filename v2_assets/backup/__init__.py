"""Backup and restore of the platform's two databases. No Dagster here.

`programs` finds PostgreSQL's own programs, `write` makes a backup, `restore` brings one back, `manifest` is what both
know of it.
"""

from v2_assets.backup.manifest import Manifest, read_manifest
from v2_assets.backup.restore import Restored, restore
from v2_assets.backup.write import backup

__all__ = ["Manifest", "Restored", "backup", "read_manifest", "restore"]
