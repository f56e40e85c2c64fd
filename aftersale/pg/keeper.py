"""The process that keeps the server: starts it, brings it back, stops it after its last user.

Every process that uses the server holds a shared lock on `users.lock`, and the kernel lets go of it
even after kill -9. When the keeper gets that lock for itself, nobody uses the server any more.
"""

import contextlib
import json
import os
import signal
import sys
import time
from pathlib import Path

from aftersale.pg import Refused, cluster
from aftersale.pg.home import Home, unusable
from aftersale.pg.locks import Lock

LOOK_S = 0.2
RETRY_S_MAX = 5.0


def main(home: Home, port: int | None) -> int:
    """1. Start the server, tell the parent. 2. Keep it while it has users. 3. Stop it."""
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.SIG_IGN)
    mine, users = home.lock(home.keeper_lock), home.lock(home.users_lock)
    if not mine.try_exclusive():
        _tell(Refused("keeper_exists", f"another keeper holds {home.keeper_lock}"))
        return 1
    refused = _up(home, port)
    _tell(refused)
    if refused is not None:
        return 1
    _keep(home, port, users)
    if not users.deleted():
        cluster.stop(home)
    mine.close()
    users.close()
    return 0


def _keep(home: Home, port: int | None, users: Lock) -> None:
    """Until this process holds `users` alone, or the home is deleted: then its server ends by itself."""
    retry_s = LOOK_S
    while not users.deleted() and not users.try_exclusive():
        if cluster.postmaster(home) is None and users.try_shared():
            retry_s = LOOK_S if _revive(home, port) else min(2 * retry_s, RETRY_S_MAX)
            users.release()
        time.sleep(retry_s)


def _revive(home: Home, port: int | None) -> bool:
    """Start the server again after a crash; why it could not be is left for whoever asks next."""
    refused = _up(home, port)
    if refused is None:
        home.trouble.unlink(missing_ok=True)
        return True
    with contextlib.suppress(OSError):  # on a full disk the note may not fit, or be empty
        home.trouble.write_text(_line(refused), "utf-8")
        home.give(home.trouble)
    return False


def _up(home: Home, port: int | None) -> Refused | None:
    try:
        cluster.up(home, port)
    except Refused as refused:
        return refused
    except OSError as error:
        return unusable(home.root, error)
    return None


def _line(refused: Refused | None) -> str:
    """JSON: null, or [code, why]."""
    return json.dumps(None if refused is None else [refused.code, refused.why]) + "\n"


def _tell(refused: Refused | None) -> None:
    """Answer the parent, and let go of its pipe."""
    with contextlib.suppress(BrokenPipeError):  # the parent may be gone by now
        os.write(1, _line(refused).encode())
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)


if __name__ == "__main__":
    sys.exit(main(Home(Path(sys.argv[1])), int(sys.argv[2]) if sys.argv[2:] else None))
