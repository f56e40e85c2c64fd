"""The turns of one schedule: who works, what befalls them, and what is seen of it."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any

import greenlet  # type: ignore[import-untyped]
import httpx2
import psycopg

from aftersale.act import claim as act_claim
from aftersale.act import run as act_run
from aftersale.cases import again
from aftersale.sandbox.app import App
from tests.faults.judge import Finding
from tests.faults.simulation.calls import Wire
from tests.faults.simulation.crew import Crew
from tests.faults.simulation.draw import Plan, planned
from tests.faults.simulation.market import START, World
from tests.faults.simulation.people import People
from tests.faults.simulation.place import Place
from tests.faults.simulation.watch import Watch
from tests.faults.simulation.wire import Died, Fate

POINTS_MAX = {"desk": 90, "act": 84, "pull": 24, "push": 4, "person": 20, "tidy": 8}
STEP_S = 3.0


class SlowTime:
    """`time` for those who measure leases: stands still until a lease is said to be over."""

    def __init__(self) -> None:
        self.at = 0.0

    def monotonic(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        """Whoever holds what we wait for will not let it go meanwhile."""


@dataclass
class Halted:
    """A worker that stands still in the middle of its turn."""

    kind: str
    runs: Any
    fate: Fate
    rates: dict[str, float]


@dataclass
class Result:
    """What one seed came to."""

    seed: int
    findings: list[Finding]
    trace: list[str]
    cells: Counter[tuple[str, str]]
    errors: Counter[str]

    @property
    def hash(self) -> str:
        return hashlib.blake2b("\n".join(self.trace).encode(), digest_size=8).hexdigest()


@contextmanager
def slow(one: SlowTime) -> Iterator[None]:
    """Leases and rests of the sender are measured by `one`."""
    modules: tuple[Any, ...] = (act_run, act_claim, again)
    kept = [module.time for module in modules]
    for module in modules:
        module.time = one
    try:
        yield
    finally:
        for module, real in zip(modules, kept, strict=True):
            module.time = real


@dataclass
class Turns:
    """What a seed plays with in one place, and how one turn goes."""

    place: Place
    seed: int
    drawn_plan: Plan | None = None
    drawn_world: World | None = None
    trace: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    cells: Counter[tuple[str, str]] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    halted: dict[str, Halted] = field(default_factory=dict)
    skew: timedelta = timedelta()
    step_no: int = 0
    calm_from: datetime = START

    def __post_init__(self) -> None:
        self.chance = Random(self.seed)
        self.plan = self.drawn_plan or planned(self.seed, self.chance)
        self.world = self.drawn_world or World(
            Random(f"{self.seed}/world"),
            self.plan.applications,
            self.plan.kinds,
            self.plan.amounts,
            self.plan.shops,
        )
        self.wire = Wire(App(self.world.sandbox), Random(f"{self.seed}/calls"), self.tell)
        self.wire.rates = self.plan.calls
        self.time = SlowTime()
        self.crew = Crew(self.place, httpx2.Client(transport=self.wire, trust_env=False), self.now)
        self.people = People(self.place, self.chance, self.now)
        self.watch = Watch(self.place, self.findings)
        self.people.findings = self.findings
        self.wire.on_submit = self.watch.submit
        self.wire.on_trouble = self.saw
        self.late: list[tuple[tuple[str, str], bytes]] = []

    def now(self) -> datetime:
        """What the record's clock says: the marketplace's time, unless it is wrong."""
        return self.world.now + self.skew

    def tell(self, what: str) -> None:
        self.trace.append(f"{self.step_no} {what}")

    def saw(self, fault: str) -> None:
        """Count the states in which this fault met the intents."""
        for (state,) in self.place.admin.execute("SELECT DISTINCT state FROM intent"):
            self.cells[fault, state] += 1

    def turn(self, kind: str, name: str, work: Callable[[], Any]) -> Any:
        """Let worker `name` work, with the fate drawn for it; None when it died or was halted."""
        if name in self.halted:
            return None
        self.time.at += STEP_S
        conn = self.place.connection(name)
        if kind == "desk":
            self.place.decider(name)
            conn = self.place.wired[name]
        fate = self._fate(kind)
        conn.fate = fate
        self.watch.begins(name, len(self.wire.calls), acts=kind == "act")
        return self._go(
            Halted(kind, greenlet.greenlet(partial(self._guarded, name, work)), fate, self.wire.rates), name
        )

    def _fate(self, kind: str) -> Fate:
        for deed, rate in self.plan.deeds.items() if kind in (self.plan.struck or POINTS_MAX) else ():
            if self.chance.random() < rate:
                return Fate(self.chance.randint(1, POINTS_MAX[kind]), deed, self._struck)
        return Fate()

    def _struck(self, what: str) -> None:
        self.tell(what)
        self.saw(what.replace("statement", "SQL"))

    def _go(self, one: Halted, name: str) -> Any:
        self.halted.pop(name, None)
        self.wire.fate, self.wire.kind = one.fate, one.kind
        result = one.runs.switch()
        self.wire.fate = None
        if one.runs.dead:
            self.place.wired[name].fate = None
            return result
        self.halted[name] = one
        self.watch.halts(name)
        return None

    def _guarded(self, name: str, work: Callable[[], Any]) -> Any:
        """The top of a worker's loop: it dies, or tells what broke and would begin anew."""
        try:
            result = work()
            self.tell(f"{name}: {result}")
            self.watch.ends(self.wire.calls)
            return result
        except Died:
            self.tell(f"{name} is dead")
        except psycopg.Error as error:
            self.errors[f"{type(error).__name__}: {str(error).splitlines()[0][:100]}"] += 1
            self.tell(f"{name}: {type(error).__name__}")
            if not isinstance(error, psycopg.OperationalError):
                said = " ".join(str(error).split())[:200]
                self.findings.append(
                    Finding("P19", f"a turn of {name} broke: {type(error).__name__}: {said}")
                )
        self.crew.bury(name)
        conn = self.place.wired[name]
        conn.fate = None
        if not conn.closed:
            conn.calm()
        if conn.closed:
            self.place.gone(conn)
        return None
