"""Drills that are no drawn schedule: restore and copy, the kill switch under load, a worker whose database falls silent.

P28, F52, F53 (restore.py), P17 and F54, P10 and F15.
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from psycopg import Connection

from aftersale.cases import people
from tests.faults.real.place import QUICK, Place, place, prepare
from tests.faults.real.restore import Told, copy_and_start, lose_and_restore
from tests.faults.real.run import rest

SENDING = (
    "taobao.rp.refunds.agree", "taobao.rp.refund.review", "taobao.rp.returngoods.agree", "taobao.refund.message.add",
    "taobao.rdc.aligenius.sendgoods.cancel", "interceptOrder",
)  # fmt: skip
EFFECTIVE_S = 5.0  # P17
STUCK_S = 5.0
NOTICED_S = 30.0  # F15
SESSION_S = 60.0  # idle_in_transaction_session_timeout: what a silent session has locked is free by then


def kill_switch(folder: Path, prepared: Path | None = None, seed: int = 8, applications: int = 700) -> Told:
    """Thrown at full speed: 5 s later no call starts any more, also not after every worker was killed and started anew."""
    told, began = Told(), time.monotonic()
    with place(folder, seed, applications, prepared) as made:
        made.have(2)
        with _load(made):
            before = _until(lambda: _sent(made), lambda sent: sent >= 20, "20 calls under load")
            _switch(made, stopped=True)
            time.sleep(EFFECTIVE_S)
            at = _sent(made)
            time.sleep(3.0)
            made.kill_workers()
            made.have(2)
            time.sleep(3.0)
            late = _sent(made) - at
        told.figures |= {"calls before the switch": before, "calls within 5 s of it": at - before}
        told.figures["calls later than 5 s after it"] = late
        told.must(late == 0, f"P17: {late} calls started more than 5 s after the kill switch")
        told.must(_waiting(made) > 0, "nothing waited behind the switch, so this proves nothing")
        _switch(made, stopped=False)
        told.wrong += rest(made)
        told.must(_sent(made) > at, "nothing was sent after the switch was released")
    told.seconds = round(time.monotonic() - began, 1)
    return told


def silence(folder: Path, prepared: Path | None = None, seed: int = 9, applications: int = 80) -> Told:
    """The way to the database swallows everything and closes nothing: another worker goes on, the deaf one ends itself."""
    told, began = Told(), time.monotonic()
    with place(folder, seed, applications, prepared) as made:
        made.have(0)
        deaf = made.zygote.start(["work", *QUICK, "--stuck-s", str(STUCK_S)], folder / "deaf.log")
        made.jump(timedelta(minutes=20))
        _until(lambda: _sent(made), lambda sent: sent > 0, "a first call")
        made.database.silence()
        silent_at, sent = time.monotonic(), _sent(made)
        made.kill_door()  # it has no connection left either
        made.have(1)
        made.jump(timedelta(minutes=30))
        code = _until(
            lambda: made.zygote.ended(deaf), lambda ended: ended is not None, "the deaf worker's end"
        )
        took = round(time.monotonic() - silent_at)
        told.figures["seconds until the deaf worker ended"] = took
        told.must(took <= NOTICED_S, f"F15: the deaf worker took {took} s to notice")
        told.must(code != 0, "F15: the deaf worker says that all was well")
        told.wrong += rest(made, SESSION_S + 30.0)
        told.figures["seconds until all it had locked was done by another"] = round(
            time.monotonic() - silent_at
        )
        told.figures["calls of the other worker"] = _sent(made) - sent
        told.must(_sent(made) > sent, "P10: the other worker sent nothing")
    told.seconds = round(time.monotonic() - began, 1)
    return told


@contextmanager
def _load(made: Place) -> Iterator[None]:
    """New applications all the time."""
    stopping = threading.Event()

    def go_on() -> None:
        while not stopping.wait(0.2):
            made.jump(timedelta(minutes=1))

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


def _sent(made: Place) -> int:
    calls = made.control.calls()
    return sum(times for call, times in calls.items() if call.startswith(SENDING))


def _switch(made: Place, *, stopped: bool) -> None:
    def write(conn: Connection[Any]) -> None:
        moment = made.control.state().now
        assert people.set_switch(conn, 0, "", stopped, "演练", "主管阿兰", moment) is None

    made.patiently(write)


def _waiting(made: Place) -> int:
    query = "SELECT count(*) FROM intent WHERE state = 'approved'"
    return int(made.patiently(lambda conn: conn.execute(query).fetchone())[0])


def _until(ask: Callable[[], Any], enough: Callable[[Any], bool], what: str) -> Any:
    until = time.monotonic() + 60.0
    while not enough(found := ask()):
        assert time.monotonic() < until, f"{what} did not come"
        time.sleep(0.05)
    return found


DRILLS: dict[str, Callable[[Path, Path], Told]] = {
    "restore": lose_and_restore,
    "copy": copy_and_start,
    "kill switch": kill_switch,
    "silence": silence,
}


@contextmanager
def _folder(name: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix=f"aftersale-{name}-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def main() -> int:
    """All of them, each in a folder of its own, from one migrated database."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=DRILLS, help="this one")
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    wrong, done = [], Counter[str]()
    with _folder("prepared") as prepared:
        prepare(prepared)
        for name, drill in DRILLS.items():
            if options.only not in (None, name):
                continue
            with _folder(name.replace(" ", "-")) as folder:
                told = drill(folder, prepared)
            sys.stderr.write(f"{name}: {told.seconds} s {told.figures} {told.wrong or 'as promised'}\n")
            wrong += [{"seed": name, "wrong": told.wrong}] if told.wrong else []
            done.update({f"{name}: {what}": n for what, n in told.figures.items()})
    if options.json:
        text = json.dumps({"done": dict(done), "wrong": wrong}, ensure_ascii=False)
        options.json.write_text(text, encoding="utf-8")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
