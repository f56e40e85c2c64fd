"""One schedule: first anything may happen, then the faults end and everything must come to rest; then it is judged."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from tests.faults.judge import Call, judge, unasked
from tests.faults.simulation import restore
from tests.faults.simulation.market import MOVES, SHOPS
from tests.faults.simulation.turns import Result, Turns, slow
from tests.faults.simulation.wire import Died

WAITS_MS = (1_000, 31_000, 61_000, 301_000, 3_600_000, 12 * 3_600_000)
SKEWS_H = (-24, -1, 1, 24)
REST_ROUNDS = 10
TURNS_MAX = 60
FINDINGS_MAX = 5
HEIR_LEASE_S = 1e-6


class Schedule(Turns):
    """One seed in one place."""

    def run(self) -> Result:
        """Both phases, then the judgement."""
        with slow(self.time), self.crew.http:
            self.crew.move_in(self.plan.budget)
            self.world.wait(0)
            self._anything()
            self._rest()
            self._judge()
        return Result(self.seed, self.findings, self.trace, self.cells, self.errors)

    # Phase 1

    def _anything(self) -> None:
        for number in range(1, self.plan.steps + 1):
            self.step_no = number
            self._put_back(number)
            names = self.useful()
            weights = [self.plan.weights[name] for name in names]
            getattr(self, f"step_{self.chance.choices(names, weights)[0]}")()

    def _put_back(self, number: int) -> None:
        """A backup after a third of the steps; after two thirds it is all there is."""
        if not self.plan.restored or number not in (self.plan.steps // 3, 2 * self.plan.steps // 3):
            return
        if number == self.plan.steps // 3:
            restore.back_up(self.place)
            return
        self.tell("restored")
        self.saw("restored")
        for name, one in sorted(self.halted.items()):
            one.fate.over = True
            one.runs.throw(Died("the database is another"))
            self.halted.pop(name)
        for name in self.place.wired:
            self.crew.bury(name)
        restore.restore(self.place)
        self.wire.calls += [
            Call(one, False, "restored") for one in sorted({call.refund_id for call in self.wire.calls})
        ]

    def useful(self) -> list[str]:
        """The steps that may find something to do now."""
        bodies, looks, due, open_, reconciling, waiting = self._work()
        able = {
            "push": any(one.waiting for one in self.world.channels().values()) or bool(self.late),
            "desk": bodies or looks,
            "act": due or open_,
            "heir": open_,
            "person": bool(self.world.market.applications),
            "move": bool(self.plan.moves and self.world.open()),
            "resume": bool(self.halted),
            "effect": bool(self.wire.delayed),
            "expire": bool(reconciling or waiting),
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

    def step_expire(self) -> None:
        self.turn("tidy", "tidy", partial(self.crew.tidy, "tidy"))

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
        name, work = self.people.draw(self.plan.switches, self.plan.stale, self.plan.wishes)
        if name not in self.halted:
            self.turn("person", name, work)

    def step_resume(self) -> None:
        if self.halted:
            name = self.chance.choice(sorted(self.halted))
            self.resume(name)

    def resume(self, name: str) -> None:
        self.tell(f"{name} goes on")
        self.watch.begins(name, len(self.wire.calls), halted=True)
        self.watch.resumes(name)
        self._go(self.halted[name], name)
        self.watch.resumed()

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
        if self.plan.skews:  # what was approved while the clock was ahead waits until it is so late
            self._wait(24 * 3_600_000)
        self.calm_from = self.world.now
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
        busy, idle = False, 0
        for _ in range(TURNS_MAX):
            bodies, looks, due, open_, reconciling, waiting = self._work()
            if bodies or looks:
                busy, idle = True, 0
                self.turn("desk", "desk1", partial(self.crew.desk, "desk1"))
            elif (due or open_) and idle < len(
                SHOPS
            ):  # a turn sends for one shop; what is held back moves nothing
                busy = True
                moved = self.turn("act", "act1", partial(self.crew.act, "act1", HEIR_LEASE_S))
                idle = 0 if moved else idle + 1
            elif self.place.admin.execute(UNTOLD, (self.calm_from,)).rowcount:
                self.crew.waited()
                self.turn("pull", "pull1", partial(self.crew.pull, "pull1"))
            elif reconciling or waiting:
                if not self.turn("tidy", "tidy", partial(self.crew.tidy, "tidy")):
                    return True
            else:
                break
            if len(self.findings) > FINDINGS_MAX:
                return False
        return busy or self.place.admin.execute(OPEN).rowcount > 0

    def _work(self) -> Sequence[bool]:
        return list(self.place.admin.execute(WORK, {"now": self.now()}).fetchall()[0])

    def _judge(self) -> None:
        conn = self.place.admin
        self.findings += judge(conn, self.world.theirs())
        self.findings += unasked(self.wire.calls)
        for row in conn.execute(
            "SELECT case_id, kind, state, amount_fen, sends FROM intent ORDER BY 1, 2, 4, 3"
        ):
            self.tell(f"end {row}")


UNTOLD = """
SELECT FROM to_fetch UNION ALL SELECT FROM pull_cursor WHERE since <= %s LIMIT 1
"""
WORK = """
SELECT EXISTS (SELECT FROM arrival_todo), EXISTS (SELECT FROM look WHERE at <= %(now)s),
  EXISTS (SELECT FROM intent WHERE state = 'approved' AND due_at <= %(now)s),
  EXISTS (SELECT FROM intent WHERE state IN ('sending', 'unknown')),
  EXISTS (SELECT FROM instance WHERE reconcile_since IS NOT NULL),
  EXISTS (SELECT FROM approval WHERE state = 'requested' AND expires_at <= %(now)s)
"""
OPEN = "SELECT FROM intent WHERE state IN ('approved', 'sending', 'unknown') LIMIT 1"
