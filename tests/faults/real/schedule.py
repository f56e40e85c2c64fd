"""What one schedule breaks, drawn from its seed alone: the same seed is always the same script.

Three of five schedules kill PostgreSQL at a step; the others kill, pause or end workers, kill the door, break
connections, or let the platform misbehave.
"""

from dataclasses import dataclass
from random import Random
from typing import Any, Literal

from tests.faults.real.proxy import Fate, Stage, Weather

Victim = Literal["database", "worker", "pause", "term", "door", "connection"]
Place = tuple[str, str]

# (connection, part of the step's name): every commit and every outward call of the way of a refund.
PUSHED: tuple[Place, ...] = (("push", ""), ("door", "store"))
DECIDED: tuple[Place, ...] = (("decide", "batch"), ("decide", "due"))
SENT: tuple[Place, ...] = (
    ("act", "claim"), ("act", "pace"), ("call", "refund.review"), ("call", "refunds.agree"), ("call", "returngoods"),
    ("call", "message"), ("act", "settle"),
)  # fmt: skip
ASKED: tuple[Place, ...] = (("act", "abandon"), ("act", "ask"), ("call", "refund.get"))
PULLED: tuple[Place, ...] = (
    ("pull", "cursor"),
    ("call", "receive.get"),
    ("pull", "fetch"),
    ("pull", "store"),
)
FETCHED = (("pull", "fetch"), ("pull", "store"))
STEPS: tuple[Place, ...] = (*PUSHED, *DECIDED, *SENT, *ASKED, *PULLED)
CALM = Weather()
STAGES: tuple[Stage, ...] = ("before", "after")


@dataclass(frozen=True)
class Break:
    """At the n-th exchange of `where`/`what`, before it is forwarded or before its answer is: this to that."""

    where: str
    what: str
    stage: Stage
    nth: int
    victim: Victim
    fate: Fate = "pass"

    @property
    def step(self) -> str:
        return f"{self.where} {self.what or 'any'} {self.stage}"


@dataclass(frozen=True)
class Lost:
    """Shares of the answers to an agreed refund, and of the pushes, that never come."""

    answers_p: float = 0.0
    pushes_p: float = 0.0


NOTHING_LOST = Lost()


@dataclass(frozen=True)
class Schedule:
    """`platform` is the sandbox's own fault script; `again` kills the database a second time while it recovers."""

    seed: int
    family: str
    workers: int
    applications: int
    breaks: tuple[Break, ...]
    calls: Weather = CALM
    pushes: Weather = CALM
    database: Weather = CALM
    platform: tuple[tuple[str, Any], ...] = ()
    again: bool = False
    lost: Lost = NOTHING_LOST

    def script(self) -> dict[str, Any]:
        """For POST /control/faults."""
        rules: list[dict[str, Any]] = [
            {"match": {"p": 0.3}, "do": dict([trouble])} for trouble in self.platform
        ]
        if self.lost.answers_p:  # so that there is something to ask about
            match = {"method": "taobao.rp.refunds.agree", "p": self.lost.answers_p}
            rules.append({"match": match, "do": {"drop_after": True}})
        push = {"duplicate_p": 0.2, "reorder_p": 0.2, "drop_p": self.lost.pushes_p}
        return {"seed": self.seed, "rules": rules, "push": push}


ORPHANED = Break("act", "claim", "after", 1, "worker")  # leaves a send that nobody settles
FAMILIES = ("database", "database", "database", "workers", "network")
PLATFORM: tuple[tuple[str, Any], ...] = (
    ("drop_before", True), ("drop_after", True), ("http_500", True), ("garbage", True), ("slow", 0.5),
    ("error", {"code": 7, "sub_code": "isp.call-limited", "sub_msg": "limited"}),
    ("error", {"code": 15, "sub_code": "isp.remote-service-timeout", "sub_msg": "timeout"}),
)  # fmt: skip


def draw(seed: int) -> Schedule:
    """The schedule of a seed."""
    drawn = Random(f"schedule/{seed}")
    family = FAMILIES[seed % len(FAMILIES)]
    workers, applications = drawn.choice((1, 1, 2)), drawn.randint(2, 5)
    if family == "database":
        one = _break(drawn, "database", STEPS[(seed // 5 * 3 + seed % 5) % len(STEPS)])
        first = (ORPHANED,) if one.what == "abandon" else ()
        again = drawn.random() < 0.15
        return Schedule(seed, family, workers, applications, (*first, one), again=again, lost=_lost(one))
    if family == "workers":
        victim = drawn.choice(("worker", "worker", "worker", "pause", "term", "door"))
        steps = PUSHED if victim == "door" else (*DECIDED, *SENT, *ASKED, *PULLED)
        breaks = [_break(drawn, victim, drawn.choice(steps)) for _ in range(drawn.choice((1, 1, 2)))]
        return Schedule(seed, family, workers, applications, tuple(breaks), lost=_lost(breaks[0]))
    return _network(drawn, seed, workers, applications)


def _break(drawn: Random, victim: Any, step: Place) -> Break:
    fate: Fate = drawn.choice(("pass", "pass", "lose", "cut"))
    return Break(*step, drawn.choice(STAGES), drawn.choice((1, 1, 1, 2)), victim, fate)


def _lost(one: Break) -> Lost:
    """What must go missing so that the step comes at all: an answer to ask about, a push for the pull to bring."""
    step = (one.where, one.what)
    return Lost(0.8 if step in ASKED else 0.0, 0.6 if step in FETCHED else 0.1)


def _network(drawn: Random, seed: int, workers: int, applications: int) -> Schedule:
    """Connections broken at steps, weather on the three ways, and a platform that misbehaves."""
    fates: tuple[Fate, ...] = ("lose", "cut", "half_open")
    breaks = tuple(
        Break(
            *drawn.choice(STEPS),
            drawn.choice(STAGES),
            drawn.choice((1, 2)),
            "connection",
            drawn.choice(fates),
        )
        for _ in range(drawn.randint(0, 3))
    )
    calls, pushes, database = (_weather(drawn) if drawn.random() < 0.35 else CALM for _ in range(3))
    platform = tuple(drawn.sample(PLATFORM, drawn.choice((0, 0, 1, 2))))
    return Schedule(seed, "network", workers, applications, breaks, calls, pushes, database, platform)


def _weather(drawn: Random) -> Weather:
    return Weather(
        seed=drawn.randrange(2**32),
        refuse_p=drawn.choice((0.0, 0.2)),
        cut_p=drawn.choice((0.0, 0.2, 0.4)),
        half_open_p=drawn.choice((0.0, 0.0, 0.15)),
        after_bytes=drawn.choice((200, 2_000, 20_000)),
        delay_s=drawn.choice((0.0, 0.0, 0.01)),
    )
