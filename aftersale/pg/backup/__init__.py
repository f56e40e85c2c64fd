"""Backups of the embedded server, and a new home as it was at any moment since (P28).

A folder holds `base/` (whole copies), `wal/` (every change since, as it streams in) and `backup.json`.
"""

from aftersale.pg.backup.restore import Restored, restore
from aftersale.pg.backup.take import Taken, catch_up, follow, take

__all__ = ["Restored", "Taken", "catch_up", "follow", "restore", "take"]
