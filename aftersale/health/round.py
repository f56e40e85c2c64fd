"""What one thread of every worker does beside the stages: tell that we live, notice what was missed, begin to send again."""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from psycopg import Connection

from aftersale import instance
from aftersale.cases import actions
from aftersale.cases.casework import promises
from aftersale.health.pulse import Sign, beat

log = logging.getLogger(__name__)
EVERY_S = 5.0
SOON_S = 1.0
BACK_MAX = timedelta(days=7)
OVERLAP = timedelta(minutes=10)
ALL_AGAIN_S = 3600.0


class Round:
    """A turn does all of it when it is time, else nothing. Wakes the instance first, so that no silence is slept over."""

    def __init__(
        self,
        conn: Connection[Any],
        signs: Sequence[Sign],
        home: Path,
        now: Callable[[], datetime],
        silent_s: float = instance.SILENT_S,
    ) -> None:
        self.conn, self._signs, self._home, self._now = conn, signs, home, now
        self._next = self._all_again = 0.0
        self._noticed: datetime | None = None
        self._stamps = True
        instance.wake(conn, home, silent_s)

    def turn(self) -> int:
        """Returns 0: there is never more to do at once."""
        if time.monotonic() < self._next:
            return 0
        now = self._now()
        beat(self.conn, self._signs)
        self._stamp()
        asking = instance.state(self.conn).since is not None and not instance.settle_reconcile(self.conn, now)
        self._notice(now)
        self._next = time.monotonic() + (SOON_S if asking else EVERY_S)
        return 0

    def _stamp(self) -> None:
        """A stamp that cannot be written, on a full disk, is said once and stops nothing."""
        try:
            instance.stamp(self.conn, self._home)
            self._stamps = True
        except OSError as error:
            if self._stamps:
                log.warning("no stamp can be written: %s", error.strerror)
            self._stamps = False

    def _notice(self, now: datetime) -> None:
        if time.monotonic() > self._all_again or self._noticed is None:
            since, self._all_again = now - BACK_MAX, time.monotonic() + ALL_AGAIN_S
        else:
            since = self._noticed - OVERLAP
        with self.conn.transaction():
            missed = actions.notice_deadlines(self.conn, since, now)
            actions.expire_approvals(self.conn, now)
            promises.remind(self.conn, now)
        if missed:
            log.warning("%s deadlines were missed", missed)
        self._noticed = now
