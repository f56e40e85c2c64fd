"""Signed posts through the real `aftersale web` process; a 2xx means that the event is on disk."""

import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from urllib.parse import urlsplit

import msgspec
from psycopg.types.json import Jsonb

from aftersale.bench import wire
from aftersale.bench.figures import Figure
from aftersale.bench.load import Load, Post, own, wrk
from aftersale.bench.place import Pgbench, Place
from aftersale.bench.world import Stream

Tell = Callable[[str], None]
SHOP = "bench-web"
MESSAGES = 4000
START_S = STOP_S = 10.0


@dataclass(frozen=True, slots=True)
class Kind:
    """Events in a body, and how many connections post at once."""

    name: str
    size: int
    connections: int


KINDS = (Kind("one", 1, 64), Kind("hundred", 100, 16))


def webhook(place: Place, pgbench: Pgbench, repetitions: int, seconds: float, tell: Tell) -> list[Figure]:
    """Every figure `webhook.*`."""
    with place.connect() as conn:
        values = (SHOP, Jsonb({wire.PLATFORM: wire.SECRET}))
        conn.execute(
            "INSERT INTO shop (code, name, platform, push_secrets) VALUES (%s, '测速店', 'tmall', %s)", values
        )
    with web(place) as url, tempfile.TemporaryDirectory() as folder:
        lost = [_lost(place, url, kind, seconds / 2) for kind in KINDS]
        anchors = [pgbench.tps()]
        rates: dict[str, list[float]] = {kind.name: [] for kind in KINDS}
        ratio: dict[str, list[float]] = {kind.name: [] for kind in KINDS}
        slow = []
        for repetition in range(repetitions):
            for kind in KINDS:
                load = _load(url, kind, seconds, Path(folder))
                anchors.append(pgbench.tps())
                rates[kind.name].append(load.per_s * kind.size)
                ratio[kind.name].append(rates[kind.name][-1] / mean(anchors[-2:]))
                slow += [load.p99_ms] if kind.size == 1 else []
                told = f"{rates[kind.name][-1]:,.0f} events/s, {ratio[kind.name][-1]:.2f} × anchor"
                tell(f"webhook {repetition + 1}/{repetitions}: {kind.name} {told}")
    found = [Figure(f"webhook.{name}", tuple(values)) for name, values in rates.items()]
    found += [Figure(f"webhook.{name}_ratio", tuple(values)) for name, values in ratio.items()]
    return [*found, Figure("webhook.p99", tuple(slow)), Figure("webhook.lost", tuple(lost))]


@contextmanager
def web(place: Place) -> Iterator[str]:
    """`aftersale web` over this database; its address."""
    command = [sys.executable, "-m", "aftersale", "web", "--port", "0", "--json"]
    process = subprocess.Popen(command, env=place.environment(), stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, "`aftersale web` did not start, the reason is above"
        url = str(msgspec.json.decode(line)["url"])
        _await(url)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(url: str) -> None:
    """Until the address takes connections."""
    place, until = urlsplit(url), time.monotonic() + START_S
    while True:
        try:
            socket.create_connection((place.hostname or "", place.port or 0), 1.0).close()
            return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)


def _posts(kind: Kind) -> Sequence[Post]:
    """Different bodies, signed just now."""
    events = Stream(1000, 1000).take(MESSAGES if kind.size > 1 else MESSAGES // 4)
    bodies = [body for source, body in wire.bodies(events, kind.size) if source == wire.PLATFORM]
    path = f"/hooks/{wire.PLATFORM}/{SHOP}"
    return [Post(path, wire.signed(body, f"msg_{no}"), body) for no, body in enumerate(bodies)]


def _load(url: str, kind: Kind, seconds: float, folder: Path) -> Load:
    posts = _posts(kind)
    load = wrk(url, posts, kind.connections, seconds, folder) or own(url, posts, kind.connections, seconds)
    assert not load.refused, f"{load.refused} posts were refused"
    return load


def _lost(place: Place, url: str, kind: Kind, seconds: float) -> float:
    """Answered 2xx without being stored: every request of our own client is accounted for."""
    before = _stored(place)
    load = own(url, _posts(kind), kind.connections, seconds)
    stored = _stored(place) - before
    assert stored <= load.answered + load.refused, "more was stored than sent"
    return float(load.answered - stored)


def _stored(place: Place) -> int:
    with place.connect() as conn:
        row = conn.execute(
            "SELECT count(*) FROM arrival a JOIN shop s ON s.id = a.shop_id WHERE s.code = %s", (SHOP,)
        )
        found = row.fetchone()
    assert found is not None
    return int(found[0])
