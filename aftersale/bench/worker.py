"""One worker process: the stages over one connection, told what to do by lines of JSON on stdin.

    python -m aftersale.bench.worker CASES WAITING NO OF        (the database is DATABASE_URL)

A line is {"do": name, ...arguments}; the answer is one line of JSON.
"""

import gc
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import msgspec

from aftersale.bench import wire
from aftersale.bench.world import START, Stream, history
from aftersale.cases import actions, stage
from aftersale.core.records import Application, Arrival, Parcel, Record
from aftersale.decide.run import Decider
from aftersale.intake import arrive
from aftersale.pg.connect import connect
from aftersale.rulebooks import books
from aftersale.work import Desk

BATCH = 1000
BODIES_A_STORE = 500
POLL_S = 0.0002
SHOP = 1


class Hands:
    """What a worker does; every method's name is a command."""

    def __init__(self, cases: int, waiting: int, no: int, of: int) -> None:
        self._conn = connect(application="aftersale bench")
        stage.prepare(self._conn)
        self._decider = Decider(self._conn, books.book("refund"), books.text("refund.yaml"), books.actions())
        self._stream = Stream(cases, waiting, no, of)
        self._size = (cases, waiting)
        self._prepared: deque[Arrival] = deque()

    def fill(self) -> dict[str, float]:
        """Put the history into the record."""
        rows, count, began = history(*self._size), 0, time.monotonic()
        while batch := [arrival for arrival, _ in zip(rows, range(BATCH), strict=False)]:
            self._take(batch)
            count += len(batch)
        return {"events": count, "seconds": time.monotonic() - began}

    def prepare(self, events: int) -> dict[str, float]:
        """Have so many events wait in memory. They are no garbage: the collector need not visit them."""
        self._prepared.extend(self._stream.take(max(0, events - len(self._prepared))))
        gc.collect()
        gc.freeze()
        return {"events": len(self._prepared)}

    def online(self, seconds: float) -> dict[str, float]:
        """Decide what was prepared until the time is over; how many cases in how many seconds."""
        began = time.monotonic()
        events = cases = 0
        while self._prepared and time.monotonic() < began + seconds:
            batch = self._events(min(BATCH, len(self._prepared)))
            self._take(batch)
            events += len(batch)
            cases += _cases(batch)
        return {"events": events, "cases": cases, "began": began, "ended": time.monotonic()}

    def lone(self, count: int) -> dict[str, list[float]]:
        """Milliseconds of each of `count` transactions of one event."""
        times = []
        for arrival in self._events(count):
            began = time.perf_counter()
            self._take([arrival])
            times.append((time.perf_counter() - began) * 1000)
        return {"ms": times}

    def latency(self, rate: float, seconds: float) -> dict[str, list[float]]:
        """Open loop: events arrive at an even rate whatever we do; milliseconds from arrival to commit of each."""
        due = self._events(int(rate * seconds))
        times: list[float] = []
        began = time.perf_counter()
        while len(times) < len(due):
            arrived = min(len(due), int((time.perf_counter() - began) * rate))
            batch = due[len(times) : min(arrived, len(times) + BATCH)]
            if not batch:
                time.sleep(POLL_S)
                continue
            self._take(batch)
            done = time.perf_counter() - began
            times += [(done - no / rate) * 1000 for no in range(len(times), len(times) + len(batch))]
        return {"ms": times}

    def store(self, events: int, size: int) -> dict[str, float]:
        """Store events as raw bodies of `size`."""
        arrivals = self._events(events)
        bodies = wire.bodies(arrivals, size)
        for at in range(0, len(bodies), BODIES_A_STORE):
            with self._conn.transaction():
                arrive.store(self._conn, [(SHOP, *body) for body in bodies[at : at + BODIES_A_STORE]])
        return {"cases": _cases(arrivals), "bodies": len(bodies)}

    def drain(self) -> dict[str, float]:
        """Read, merge and decide stored bodies as `aftersale work` does, until none is left."""
        desk = Desk(self._conn, self._decider, lambda: START)
        began, bodies = time.monotonic(), 0
        while done := desk.take_news():
            bodies += done
        return {"bodies": bodies, "began": began, "ended": time.monotonic()}

    def _events(self, count: int) -> list[Arrival]:
        """The next events in their order: those prepared come first."""
        self._prepared.extend(self._stream.take(max(0, count - len(self._prepared))))
        return [self._prepared.popleft() for _ in range(count)]

    def _take(self, arrivals: Sequence[Arrival]) -> None:
        """Records in memory → merged and decided on disk."""
        with self._conn.transaction():
            actions.merge(self._conn, actions.staged((SHOP, one) for one in arrivals), START)
            self._decider.decide(START)


def _cases(arrivals: Sequence[Arrival]) -> int:
    """How many different cases the events touch. Ids of a case and of its parcel end alike."""
    return len({_id(one.record)[-10:] for one in arrivals})


def _id(record: Record) -> str:
    assert isinstance(record, Application | Parcel)
    return record.case_id if isinstance(record, Application) else record.tracking_no


class Worker:
    """A worker process as its owner sees it."""

    def __init__(self, environment: Mapping[str, str], cases: int, waiting: int, no: int, of: int) -> None:
        asked = [sys.executable, "-m", __spec__.name, *map(str, (cases, waiting, no, of))]
        self._process = subprocess.Popen(
            asked, env=dict(environment), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def ask(self, do: str, **arguments: float) -> None:
        """Give a command and go on."""
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode({"do": do, **arguments}) + b"\n")
        self._process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """The answer to the oldest command without one."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "a worker of the bench ended, the reason is above"
        answer: dict[str, Any] = msgspec.json.decode(line)
        return answer

    def call(self, do: str, **arguments: float) -> dict[str, Any]:
        """A command and its answer."""
        self.ask(do, **arguments)
        return self.answer()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()


def main() -> None:
    """Commands from stdin until it closes."""
    hands = Hands(*map(int, sys.argv[1:5]))
    for line in sys.stdin.buffer:
        command: dict[str, Any] = msgspec.json.decode(line)
        do: Callable[..., object] = getattr(hands, command.pop("do"))
        sys.stdout.buffer.write(msgspec.json.encode(do(**command)) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
