"""Events in memory → merged, decided and durable: by one worker, by two, and how long a single one waits."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import mean

from aftersale.bench.figures import Figure
from aftersale.bench.place import Pgbench, Place, insert_ms
from aftersale.bench.worker import Worker

Tell = Callable[[str], None]
EVENTS_A_S_MAX = 60_000


@dataclass(frozen=True, slots=True)
class Size:
    """How much to do. `cases` in the record, and half as many orders that wait for theirs."""

    cases: int = 200_000
    repetitions: int = 5
    seconds: float = 3.0
    stored_events: int = 20_000
    lone_events: int = 300
    latency_s: float = 5.0

    @property
    def waiting(self) -> int:
        return self.cases // 2


def online(place: Place, pgbench: Pgbench, size: Size, tell: Tell) -> list[Figure]:
    """Every figure `online.*`. The record is left full."""
    with ExitStack() as stack:
        environment = place.environment()
        workers = [
            stack.enter_context(Worker(environment, size.cases, size.waiting, no, 2)) for no in range(2)
        ]
        tell(f"filling the record with {size.cases:,} cases")
        _shop(place)
        filled = workers[0].call("fill")
        tell(f"{filled['events']:,} events in {filled['seconds']:.0f} s")
        place.tidy()
        found = _rates(pgbench, workers, size, tell)
        found += _wal(place, workers[0], size)
        return found + _latency(place, workers[0], found, size, tell)


def _shop(place: Place) -> None:
    with place.connect() as conn:
        conn.execute("INSERT INTO shop (code, name, platform) VALUES ('bench', '测速店', 'tmall')")


def _rates(pgbench: Pgbench, workers: Sequence[Worker], size: Size, tell: Tell) -> list[Figure]:
    """In each repetition every subject lies between two anchors."""
    subjects: dict[str, Callable[[], float]] = {
        "one": lambda: _run(workers[:1], size),
        "two": lambda: _run(workers, size),
        "hundred": lambda: _stored(workers[:1], size, 100),
        "hundred_two": lambda: _stored(workers, size, 100),
        "lone": lambda: _stored(workers[:1], size, 1),
    }
    _run(workers, size, 0.3)  # plans and caches are made before the clock runs
    anchors = [pgbench.tps()]
    rates: dict[str, list[float]] = {name: [] for name in subjects}
    ratio: dict[str, list[float]] = {name: [] for name in subjects}
    for repetition in range(size.repetitions):
        for name, subject in subjects.items():
            rates[name].append(subject())
            anchors.append(pgbench.tps())
            ratio[name].append(rates[name][-1] / mean(anchors[-2:]))
            told = f"{name} {rates[name][-1]:,.0f} cases/s, {ratio[name][-1]:.2f} × anchor"
            tell(f"online {repetition + 1}/{size.repetitions}: {told}")
    return [
        Figure("online.anchor", tuple(anchors)),
        *(Figure(f"online.{name}", tuple(rates[name])) for name in ("one", "two")),
        *(Figure(f"online.{name}_ratio", tuple(ratio[name])) for name in subjects),
    ]


def _run(workers: Sequence[Worker], size: Size, seconds: float | None = None) -> float:
    """Cases a second of all workers together, from the first one's start to the last one's end."""
    seconds = seconds or size.seconds
    for worker in workers:
        worker.ask("prepare", events=int(seconds * EVENTS_A_S_MAX / len(workers)))
    for worker in workers:
        worker.answer()
    for worker in workers:
        worker.ask("online", seconds=seconds)
    told = [worker.answer() for worker in workers]
    took_s = max(one["ended"] for one in told) - min(one["began"] for one in told)
    return float(sum(one["cases"] for one in told) / took_s)


def _stored(workers: Sequence[Worker], size: Size, bodies: int) -> float:
    """The same from raw bodies in the database, decoding included; the workers take what they find."""
    stored = workers[0].call("store", events=size.stored_events, size=bodies)
    for worker in workers:
        worker.ask("drain")
    told = [worker.answer() for worker in workers]
    assert sum(one["bodies"] for one in told) == stored["bodies"], (told, stored)
    took_s = max(one["ended"] for one in told) - min(one["began"] for one in told)
    return float(stored["cases"] / took_s)


def _wal(place: Place, worker: Worker, size: Size) -> list[Figure]:
    """What the server wrote per event; autovacuum's share is in it."""
    place.tidy()
    worker.call("prepare", events=int(size.seconds * EVENTS_A_S_MAX))
    since = place.wal_position()
    events = worker.call("online", seconds=size.seconds)["events"]
    records, images = place.wal_bytes(since, place.wal_position())
    return [Figure("online.wal", (records / events,)), Figure("online.wal_images", (images / events,))]


def _latency(place: Place, worker: Worker, found: Sequence[Figure], size: Size, tell: Tell) -> list[Figure]:
    """Single events, and the wait of each event at half the rate that one worker can do."""
    rate = next(figure for figure in found if figure.key == "online.one").median / 2
    alone, inserts, p50, p99 = [], [], [], []
    for _ in range(size.repetitions):
        with place.connect() as conn:
            inserts.append(insert_ms(conn, size.lone_events))
        alone.append(percentile(worker.call("lone", count=size.lone_events)["ms"], 50))
        waits = worker.call("latency", rate=rate, seconds=size.latency_s)["ms"]
        p50.append(percentile(waits, 50))
        p99.append(percentile(waits, 99))
        tell(
            f"half load {rate:,.0f} events/s: p50 {p50[-1]:.1f} ms, p99 {p99[-1]:.1f} ms; one alone {alone[-1]:.1f} ms"
        )
    return [
        Figure("online.transaction", tuple(alone)),
        Figure("online.insert", tuple(inserts)),
        Figure("online.p50", tuple(p50)),
        Figure("online.p99", tuple(p99)),
        Figure("online.p99_ratio", tuple(wait / one for wait, one in zip(p99, alone, strict=True))),
    ]


def percentile(values: Sequence[float], percent: int) -> float:
    """The value that so many percent do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]
