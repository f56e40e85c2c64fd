"""The machine is lost ten minutes after its last backup, under load (P28, F52); and somebody starts a copy of it (F53).

The backup does not know the refunds of those minutes: a worker that trusted it would pay them again.
"""

import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import LiteralString

from aftersale.cli import children
from aftersale.pg import backup
from aftersale.pg.home import home_at
from aftersale.pg.server import start
from tests.faults.real.place import Place, place
from tests.faults.real.run import rest, run_out

RUN_OUT_S_MAX = 240.0
WATCH_S = 3.0
PAID: LiteralString = "SELECT count(*) FROM ledger"
OPEN: LiteralString = (
    "SELECT count(*) FROM intent WHERE money AND state IN ('approved', 'sending', 'unknown')"
)
ACCEPT = ("instance", "accept")


@dataclass
class Told:
    """`refunds_after`: paid between backup and loss, unknown to the backup. `wrong` must stay empty."""

    figures: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def must(self, holds: bool, what: str) -> None:
        if not holds:
            self.wrong.append(what)


def lose_and_restore(
    folder: Path,
    prepared: Path | None = None,
    seed: int = 5,
    applications: int = 120,
    *,
    to_the_end: bool = True,
) -> Told:
    """1. Backup under load, refunds go on. 2. The server is lost, the backup restored: nothing is sent, then all ends once."""
    told, began = Told(), time.monotonic()
    with place(folder / "first", seed, applications, prepared) as made:
        made.have(2)
        taken = _busy(made, lambda: backup.take(folder / "first", folder / "backup").until)
        backed_up = made.control.state().payments
        _minutes(made, 12, refunds_min=8, since=backed_up)
        told.figures["refunds when the backup was made"] = backed_up
        told.figures["refunds after it"] = made.control.state().payments - backed_up
        made.kill_workers()
        made.kill_door()
        made.kill_database()
        backup.restore(folder / "backup", folder / "second", taken)
        with start(folder / "second") as server:
            made.move(folder / "second", server)
            _come_back(made, told, to_the_end=to_the_end)
            made.close()
    told.seconds = round(time.monotonic() - began, 1)
    return told


def copy_and_start(folder: Path, prepared: Path | None = None, seed: int = 6, applications: int = 60) -> Told:
    """A copy of the data folder, credentials and all, is started while the platform is the real one: it sends nothing."""
    told, began = Told(), time.monotonic()
    with place(folder / "first", seed, applications, prepared) as made:
        made.have(1)
        _minutes(made, 10, refunds_min=3, since=0)
        _decide_unsent(made)
        made.kill_workers()
        made.kill_door()
        made.zygote.close()
        made.leave_server()
        (folder / "copy").mkdir()
        first, copy = home_at(folder / "first"), home_at(folder / "copy")
        shutil.copytree(first.folder, copy.folder)
        shutil.copy2(first.state_file, copy.state_file)
        with start(folder / "copy") as server:
            made.move(folder / "copy", server, direct=True)
            _sends_nothing(made, told, accepted=False)
            made.close()
    told.seconds = round(time.monotonic() - began, 1)
    return told


def _busy(made: Place, work: Callable[[], datetime]) -> datetime:
    """`work` while refunds are being decided; they are sent right after it."""
    _minutes(made, 10, refunds_min=3, since=0)
    _decide_unsent(made)
    moment = work()
    made.kill_workers()
    made.have(2)
    return moment


def _decide_unsent(made: Place) -> None:
    """Refunds are decided, none is sent: what the worst moment for a backup or a copy looks like."""
    made.kill_workers()
    made.work_only("decide")
    until = time.monotonic() + 60.0
    while not _open(made):
        assert time.monotonic() < until, "no refund was decided"
        made.jump(timedelta(minutes=2))
        time.sleep(0.3)


def _open(made: Place) -> int:
    return int(made.patiently(lambda conn: conn.execute(OPEN).fetchone())[0])


def _minutes(made: Place, minutes: int, refunds_min: int, since: int) -> None:
    """So many of the shops' minutes pass, more until so many refunds were paid."""
    until = time.monotonic() + 60.0
    passed = 0
    while time.monotonic() < until:
        if passed >= minutes and made.control.state().payments - since >= refunds_min:
            return
        made.have(len(made.workers) or 0)
        made.jump(timedelta(minutes=1))
        passed += 1
        time.sleep(0.1)
    raise AssertionError(f"only {made.control.state().payments - since} refunds after {passed} minutes")


def _sends_nothing(made: Place, told: Told, *, accepted: bool) -> None:
    """Two workers run, questions are asked, no money is sent."""
    before, waiting = Counter(made.control.calls()), _open(made)
    told.figures["refunds that wait to be sent"] = waiting
    told.must(waiting > 0, "nothing waits to be sent, so this proves nothing")
    made.have(2)
    time.sleep(WATCH_S)
    calls = Counter(made.control.calls()) - before
    agreed = sum(times for call, times in calls.items() if call.startswith("taobao.rp.refunds.agree"))
    told.figures["calls that would pay, before a person's word"] = agreed
    told.figures["other calls meanwhile"] = calls.total() - agreed
    told.must(accepted or agreed == 0, f"P28: {agreed} refunds were sent by a copy that nobody accepted")


def _come_back(made: Place, told: Told, *, to_the_end: bool) -> None:
    known = made.patiently(lambda conn: conn.execute(PAID).fetchone())[0]
    there = made.control.state().payments
    told.figures["refunds that the restored record does not know"] = there - known
    told.must(there > known, "the restored record knows every refund, so this proves nothing")
    _sends_nothing(made, told, accepted=False)
    done = subprocess.run(
        children.command(*ACCEPT), env=made.environment(), capture_output=True, text=True, check=False
    )
    told.must(done.returncode == 0, f"aftersale {' '.join(ACCEPT)}: {done.stderr.strip()}")
    told.wrong += run_out(made, RUN_OUT_S_MAX) if to_the_end else rest(made)
    told.figures["refunds in the end"] = made.control.state().payments
    told.figures["paid twice"] = _twice(made)
    told.must(told.figures["paid twice"] == 0, "P1: a refund was paid twice after the restore")


def _twice(made: Place) -> int:
    times = Counter(one.refund_id for one in made.control.ledger())
    return sum(n > 1 for n in times.values())
