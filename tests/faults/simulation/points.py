"""Every crash point of a flow: its n-th statement or call, before and after, until the flow ends unharmed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random

from tests.faults.judge import Finding
from tests.faults.simulation.crew import AGENT, OWNER
from tests.faults.simulation.draw import Plan
from tests.faults.simulation.market import World, withdraw
from tests.faults.simulation.people import SEEN, WAITING
from tests.faults.simulation.place import Place
from tests.faults.simulation.schedule import HEIR_LEASE_S, Schedule
from tests.faults.simulation.turns import slow
from tests.faults.simulation.wire import Fate

DEEDS = ("die", "cut")
ROUNDS = 6
QUIET = Plan(applications=1, steps=0, calls={}, deeds={}, pushes={}, moves=(), skews=False, switches=False,
             budget=False, weights={"desk": 1, "act": 1})  # fmt: skip


@dataclass(frozen=True)
class Flow:
    """A canonical case: the trouble its calls meet, and what people and the buyer do before each round of turns."""

    points_min: int
    calls: dict[str, float] = field(default_factory=dict)
    before_round: Callable[["Crashed", int], None] = lambda schedule, number: None
    total_fen: int = 8_000
    shop: str = "demo1"


@dataclass
class Points:
    """How many points a flow has, and which of them broke a promise."""

    points: int
    failed: dict[tuple[str, int], list[Finding]]


class Crashed(Schedule):
    """A schedule in which exactly one thing happens: at its n-th point of all its turns a worker is struck."""

    fate_of_all: Fate

    def strike(self, deed: str, at: int) -> None:
        self.fate_of_all = Fate(at, deed, self._struck)
        self.fate_of_all.each_once = True

    def _fate(self, kind: str) -> Fate:
        return self.fate_of_all

    def play(self, flow: Flow) -> list[Finding]:
        """The flow, the crash, the recovery by others, the judgement."""
        self.wire.rates = flow.calls
        with slow(self.time), self.crew.http:
            self.crew.move_in()
            self.world.wait(0)
            for number in range(ROUNDS):
                self.step_no = number
                flow.before_round(self, number)
                self._deliver()
                if "desk" in self.useful():
                    self.turn("desk", "desk1", partial(self.crew.desk, "desk1"))
                if "act" in self.useful():
                    self.turn("act", "act1", partial(self.crew.act, "act1", HEIR_LEASE_S))
                    self.wire.rates = {}
            self.fate_of_all.over = True
            self._rest()
            self._judge()
        return self.findings

    def _deliver(self) -> None:
        self._wait(61_000)
        for key, channel in sorted(self.world.channels().items()):
            bodies = [channel.waiting.popleft() for _ in range(len(channel.waiting))]
            self._accept(key, bodies)


def _withdrawn(schedule: Crashed, number: int) -> None:
    """The buyer withdraws when the shipment has been stopped."""
    if number == 1:
        for one in schedule.world.open():
            withdraw(schedule.world, one)


def _approval(schedule: Crashed, number: int) -> None:
    """The agent asks for more than they may pay alone, the lead agrees."""
    if number == 1:
        for seen in schedule.place.admin.execute(SEEN).fetchall():
            schedule.turn(
                "person",
                AGENT,
                partial(schedule.people.do, "agree", AGENT, seen[0], seen[1], seen[2], seen[3]),
            )
    for waiting in schedule.place.admin.execute(WAITING).fetchall() if number > 1 else ():
        schedule.turn("person", OWNER, partial(schedule.people.decide, OWNER, waiting, True))


FLOWS = {
    "unshipped at Tmall": Flow(60),
    "unshipped at Taobao": Flow(60, shop="demo2"),
    "answer lost": Flow(60, calls={"after": 1.0}),
    "lost on the way": Flow(60, calls={"before": 1.0}, shop="demo2"),
    "withdrawn": Flow(60, before_round=_withdrawn),
    "approval": Flow(60, before_round=_approval, total_fen=90_000),
}


def crash_points(place: Place, flow: Flow, every: int = 1, deeds: Sequence[str] = DEEDS) -> Points:
    """Strike at each point, or at each `every`-th, with each deed until nothing is struck any more."""
    failed: dict[tuple[str, int], list[Finding]] = {}
    points = 0
    for deed in deeds:
        at = 1
        while True:
            one = Crashed(place, 1, QUIET, _world(flow))
            one.strike(deed, at)
            findings = one.play(flow)
            if findings:
                failed[deed, at] = findings
            if not one.fate_of_all.struck:
                break
            at += every
            points += 1
    return Points(points, failed)


def _world(flow: Flow) -> World:
    return World(Random("points"), 1, kinds=("unshipped",), amounts=(flow.total_fen,), shops=(flow.shop,))
