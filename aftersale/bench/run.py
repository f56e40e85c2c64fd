"""The whole bench: which parts, how much of each, and the report."""

import os
import platform
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from aftersale.bench.bulk import bulk
from aftersale.bench.claims import claims
from aftersale.bench.desk import desk
from aftersale.bench.execution import execution
from aftersale.bench.figures import Figure, markdown, plain
from aftersale.bench.online import Size, online
from aftersale.bench.place import Pgbench, fresh, last, starts
from aftersale.bench.webhook import webhook
from aftersale.pg.server import Server, start

Tell = Callable[[str], None]
PARTS = ("start", "online", "webhook", "bulk", "execution", "claims", "desk")
BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"


@dataclass(frozen=True, slots=True)
class Plan:
    """How much to do. The defaults take about ten minutes on two cores."""

    parts: Collection[str] = PARTS
    online: Size = field(default_factory=Size)
    repetitions: int = 5
    seconds: float = 3.0
    scale: int = 20
    rows: int = 10_000_000
    refunds: int = 10_000
    starts: int = 3
    finished: int = 1_000_000
    claims: int = 2_000
    waiting: int = 10_000_000
    pages: int = 300
    again: bool = False


QUICK = Plan(
    online=Size(20_000, 2, 1.0, 3_000, 50, 1.5),
    repetitions=2, seconds=1.0, scale=5, rows=2_000_000, refunds=1_000, starts=1, finished=100_000, claims=300,
    waiting=100_000, pages=40,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Report:
    """What was measured, when and where."""

    at: datetime
    machine: str
    load: tuple[float, float]
    figures: tuple[Figure, ...]

    @property
    def met(self) -> bool:
        return all(figure.met is not False for figure in self.figures)

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "at": self.at.isoformat(timespec="seconds"),
            "machine": self.machine,
            "load_before_and_after": list(self.load),
            "met": self.met,
            "figures": plain(self.figures),
        }

    def markdown(self) -> str:
        """For docs/performance.md."""
        before, after = self.load
        told = f"{self.at:%Y-%m-%d}, {self.machine}; load {before:.1f} before and {after:.1f} after."
        return f"{told}\n\n{markdown(self.figures)}"


def run(home: Path, plan: Plan, tell: Tell) -> Report:
    """Measure in folder `home`, which keeps a server and the made-up file for the next time. Raises `Refused`."""
    home.mkdir(parents=True, exist_ok=True)
    at, before = datetime.now(UTC), os.getloadavg()[0]
    figures = tuple(_figures(home, plan, tell))
    machine = (
        f"{os.cpu_count()} × {_processor()}, Python {platform.python_version()}, DuckDB {duckdb.__version__}"
    )
    return Report(at, machine, (before, os.getloadavg()[0]), figures)


def _figures(home: Path, plan: Plan, tell: Tell) -> Iterator[Figure]:
    if "start" in plan.parts:
        yield from starts(home / "start", plan.starts)
    if "bulk" in plan.parts:
        yield from bulk(home / "files", plan.rows, plan.repetitions, tell)
    if {"online", "webhook", "execution", "claims", "desk"}.isdisjoint(plan.parts):
        return
    tell("starting the database server")
    with start(home / "server") as server:
        yield from _on_server(server, plan, tell)


def _on_server(server: Server, plan: Plan, tell: Tell) -> Iterator[Figure]:
    """Each part with a database of its own."""
    if "execution" in plan.parts:
        yield from execution(fresh(server), plan.refunds, tell)
    if "claims" in plan.parts:
        yield from claims(fresh(server), plan.finished, plan.claims, tell)
    if "desk" in plan.parts:
        place = last(server) if plan.again else fresh(server)
        yield from desk(place, plan.waiting, plan.pages, tell, plan.again)
    if {"online", "webhook"}.isdisjoint(plan.parts):
        return
    pgbench = Pgbench(server, plan.scale, max(1, round(plan.seconds)))
    if "webhook" in plan.parts:
        yield from webhook(fresh(server), pgbench, plan.repetitions, plan.seconds, tell)
    if "online" in plan.parts:
        yield from online(fresh(server), pgbench, plan.online, tell)


def _processor() -> str:
    """The processor's name where the system tells it."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text().splitlines() if told.exists() else []
    names: Sequence[str] = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def write_docs(path: Path, report: Report) -> None:
    """Replace the block between the markers. Raises ValueError when the markers are missing."""
    text = path.read_text("utf-8")
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{path}: the lines {BEGIN} and {END} are missing")
    path.write_text(f"{head}{BEGIN}\n{report.markdown()}\n{END}{tail}", "utf-8")
