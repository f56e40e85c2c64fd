"""One schedule: first anything may happen, then the faults end and everything must come to rest; then it is judged."""

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
from tests.faults.judge import Finding, judge, unasked
from tests.faults.simulation.calls import Wire
from tests.faults.simulation.crew import Crew
from tests.faults.simulation.draw import Plan, drawn
from tests.faults.simulation.market import MOVES, World
from tests.faults.simulation.people import People
from tests.faults.simulation.place import Place
from tests.faults.simulation.watch import Watch
from tests.faults.simulation.wire import Died, Fate

POINTS_MAX = {"desk": 70, "act": 24, "pull": 14, "push": 4, "person": 10}
WAITS_MS = (1_000, 31_000, 61_000, 301_000, 3_600_000, 12 * 3_600_000)
SKEWS_H = (-24, -1, 1, 24)
REST_ROUNDS = 10
TURNS_MAX = 60
FINDINGS_MAX = 5
STEP_S = 3.0
HEIR_LEASE_S = 1e-6


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


@dataclass
class Schedule:
    """One seed in one place."""

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

    def __post_init__(self) -> None:
        self.chance = Random(self.seed)
        self.plan = self.drawn_plan or drawn(self.chance)
        self.world = self.drawn_world or World(Random(f"{self.seed}/world"), self.plan.applications)
        self.wire = Wire(App(self.world.sandbox), Random(f"{self.seed}/calls"), self.tell)
        self.wire.rates = self.plan.calls
        self.time = SlowTime()
        self.crew = Crew(self.place, httpx2.Client(transport=self.wire, trust_env=False), self.now)
        self.people = People(self.place, self.chance, self.now)
        self.watch = Watch(self.place, self.findings)
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

    def run(self) -> Result:
        """Both phases, then the judgement."""
        with slow(self.time), self.crew.http:
            self.crew.move_in(self.plan.budget)
            self.world.wait(0)
            self._anything()
            self._rest()
            self._judge()
        return Result(self.seed, self.findings, self.trace, self.cells, self.errors)

    # One turn

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
        self.watch.begins(name, len(self.wire.calls))
        return self._go(
            Halted(kind, greenlet.greenlet(partial(self._guarded, name, work)), fate, self.wire.rates), name
        )

    def _fate(self, kind: str) -> Fate:
        for deed, rate in self.plan.deeds.items():
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

    # Phase 1

    def _anything(self) -> None:
        for number in range(1, self.plan.steps + 1):
            self.step_no = number
            names = self.useful()
            weights = [self.plan.weights[name] for name in names]
            getattr(self, f"step_{self.chance.choices(names, weights)[0]}")()

    def useful(self) -> list[str]:
        """The steps that may find something to do now."""
        bodies, looks, due, open_ = self.place.admin.execute(WORK, {"now": self.now()}).fetchall()[0]
        able = {
            "push": any(one.waiting for one in self.world.channels().values()) or bool(self.late),
            "desk": bodies or looks,
            "act": due or open_,
            "heir": open_,
            "person": bool(self.world.market.applications),
            "move": bool(self.plan.moves and self.world.open()),
            "resume": bool(self.halted),
            "effect": bool(self.wire.delayed),
        }
        return [name for name in self.plan.weights if able.get(name, True)]

    def step_push(self) -> None:
        waiting = [(key, one) for key, one in sorted(self.world.channels().items()) if one.waiting]
        if waiting:
            key, channel = self.chance.choice(waiting)
            bodies = [
                channel.waiting.popleft() for _ in range(min(self.chance.randint(1, 9), len(channel.waiting)))
            ]
            self._accept(key, [body for one in bodies for body in self._troubled(key, one)])
        if self.late and self.chance.random() < 0.3:
            key, body = self.late.pop(self.chance.randrange(len(self.late)))
            self._accept(key, [body])

    def _troubled(self, key: tuple[str, str], body: bytes) -> list[bytes]:
        """Lost, late or twice."""
        for name, rate in self.plan.pushes.items():
            if self.chance.random() < rate:
                self.tell(f"push {name}")
                self.saw(f"push {name}")
                if name == "late":
                    self.late.append((key, body))
                return [body, body] if name == "twice" else []
        return [body]

    def _accept(self, key: tuple[str, str], bodies: list[bytes]) -> None:
        """Pushed until it is accepted."""
        shop_id = 1 + ("demo1", "demo2").index(key[0])
        if (
            bodies
            and self.turn("push", "door", partial(self.crew.accept, "door", shop_id, key[1], bodies)) is None
        ):
            self.late += [(key, body) for body in bodies]

    def step_desk(self) -> None:
        name = self.chance.choice(("desk1", "desk1", "desk2"))
        self.turn("desk", name, partial(self.crew.desk, name))

    def step_act(self) -> None:
        name = self.chance.choice(("act1", "act2", "act3"))
        self.turn("act", name, partial(self.crew.act, name))

    def step_heir(self) -> None:
        """Leases are over: somebody takes up what was left."""
        self.time.at += 600.0
        name = self.chance.choice(("act1", "act2", "act3"))
        self.turn("act", name, partial(self.crew.act, name, HEIR_LEASE_S))

    def step_pull(self) -> None:
        self.crew.waited()
        self.turn("pull", "pull1", partial(self.crew.pull, "pull1"))

    def step_move(self) -> None:
        open_ = self.world.open()
        if open_ and self.plan.moves:
            one, move = self.chance.choice(open_), self.chance.choice(self.plan.moves)
            self.tell(f"{move} {one.refund_id}")
            self.saw(move)
            MOVES[move](self.world, one)

    def step_wait(self) -> None:
        if self.plan.skews and self.chance.random() < 0.5:
            self.skew = timedelta(hours=self.chance.choice(SKEWS_H)) if not self.skew else timedelta()
            self.saw(f"clock {self.skew.total_seconds() / 3600:+.0f} h")
        self._wait(self.chance.choice(WAITS_MS))

    def _wait(self, ms: int) -> None:
        self.world.wait(ms)
        self.crew.set_clock()
        self.tell(f"{self.now():%d %H:%M:%S}")

    def step_person(self) -> None:
        name, work = self.people.draw(self.plan.switches)
        if name not in self.halted:
            self.turn("person", name, work)

    def step_resume(self) -> None:
        if self.halted:
            name = self.chance.choice(sorted(self.halted))
            self.resume(name)

    def resume(self, name: str) -> None:
        self.tell(f"{name} goes on")
        self.watch.begins(name, len(self.wire.calls), halted=True)
        self._go(self.halted[name], name)

    def step_effect(self) -> None:
        if self.wire.delayed:
            self.tell("a delayed call takes effect")
            self.saw("delayed effect")
            self.wire.arrive()

    # Phase 2

    def _rest(self) -> None:
        """Whoever stood still goes on, what was late arrives, and within ten minutes nothing is open without an owner."""
        self.step_no += 1
        self.plan.deeds.clear()
        self.wire.rates = {}
        for name in sorted(self.halted):
            self.resume(name)
        while self.wire.delayed:
            self.step_effect()
        self.skew = timedelta()
        for key, body in self.late:
            self._accept(key, [body])
        self.people.release()
        self.time.at += 600.0
        for _ in range(REST_ROUNDS):
            self._wait(60_000)
            for key, channel in sorted(self.world.channels().items()):
                bodies = [channel.waiting.popleft() for _ in range(len(channel.waiting))]
                self._accept(key, bodies)
            if not self._round():
                break

    def _round(self) -> bool:
        """Everybody works until nothing moves; did anything, or is something left that time alone would bring on?"""
        busy = False
        for _ in range(TURNS_MAX):
            bodies, looks, due, open_ = self.place.admin.execute(WORK, {"now": self.now()}).fetchall()[0]
            if bodies or looks:
                busy = True
                self.turn("desk", "desk1", partial(self.crew.desk, "desk1"))
            elif due or open_:
                busy = True
                self.turn("act", "act1", partial(self.crew.act, "act1", HEIR_LEASE_S))
            elif self.place.admin.execute(UNTOLD, (self.now(),)).rowcount:
                self.crew.waited()
                self.turn("pull", "pull1", partial(self.crew.pull, "pull1"))
            else:
                break
            if len(self.findings) > FINDINGS_MAX:
                return False
        return busy or self.place.admin.execute(OPEN).rowcount > 0

    def _judge(self) -> None:
        conn = self.place.admin
        self.findings += judge(conn, self.world.theirs())
        self.findings += unasked(self.wire.calls)
        for row in conn.execute(
            "SELECT case_id, kind, state, amount_fen, sends FROM intent ORDER BY 1, 2, 4, 3"
        ):
            self.tell(f"end {row}")


UNTOLD = """
SELECT FROM to_fetch UNION ALL SELECT FROM pull_cursor WHERE since < %s - interval '30 seconds' LIMIT 1
"""
WORK = """
SELECT EXISTS (SELECT FROM arrival_todo), EXISTS (SELECT FROM look WHERE at <= %(now)s),
  EXISTS (SELECT FROM intent WHERE state = 'approved' AND due_at <= %(now)s),
  EXISTS (SELECT FROM intent WHERE state IN ('sending', 'unknown'))
"""
OPEN = "SELECT FROM intent WHERE state IN ('approved', 'sending', 'unknown') LIMIT 1"


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
