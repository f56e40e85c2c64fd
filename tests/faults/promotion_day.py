"""A promotion day at full speed while things break, and the judgement on it: the sandbox's own ledger.

    python -m tests.faults.promotion_day --applications 20000 --kills 20 --database-kills 2

Every application must end with one decision, our ledger must equal the sandbox's to the fen, nothing paid twice.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from aftersale.cli import children
from aftersale.clock import follow
from aftersale.demo import sandbox_shops
from aftersale.pg import Refused
from aftersale.pg.connect import opened
from aftersale.pg.server import Server, start
from aftersale.sandbox.control import Control, State

START = datetime(2026, 11, 11, tzinfo=UTC) - timedelta(hours=8)
FINAL = {"SUCCESS", "CLOSED"}
BACK_S = 60.0


@dataclass(frozen=True)
class Plan:
    """What to run and what to break."""

    applications: int = 1500
    seed: int = 11
    shops: int = 2
    kills: int = 3
    database_kills: int = 1
    lost_answers: float = 0.1
    twice: float = 0.2
    day_s: float = 20.0  # real seconds for the first virtual day
    patience_s: float = 240.0


@dataclass
class Judgement:
    """What was found; `wrong` must stay empty."""

    seconds: float = 0.0
    figures: dict[str, Any] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def must(self, holds: bool, what: str) -> None:
        if not holds:
            self.wrong.append(what)


class Day:
    """The processes of one run."""

    def __init__(self, plan: Plan, home: Path, server: Server) -> None:
        self.plan, self.home, self.server = plan, home, server
        self.drawn = random.Random(plan.seed)
        self.environment = {**os.environ, "AFTERSALE_HOME": str(home)}
        for name in ("DATABASE_URL", "DATABASE_OWNER_URL"):
            self.environment.pop(name, None)
        self.running: list[subprocess.Popen[str]] = []
        self.work: subprocess.Popen[str] | None = None
        self.killed: Counter[str] = Counter()

    def connect(self) -> psycopg.Connection[Any]:
        """The judge's own connection; a killed database is back within BACK_S."""
        until = time.monotonic() + BACK_S
        while True:
            try:
                return opened(self.server.url("app"), settings={})
            except Refused:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)

    def begin(self) -> Control:
        """Everything up, the clock still standing."""
        subprocess.run(
            children.command("migrate"), env=self.environment, check=True, stdout=subprocess.DEVNULL
        )
        web = self._start("web", "--port", "0", "--json")
        url = children.address(web, self.home / "web.log")
        plan = self.plan
        sandbox = self._start(
            "sandbox", "--json", "--speed", "0", "--start", START.isoformat(), "--seed", str(plan.seed),
            "--applications", str(plan.applications), "--shops", str(plan.shops), "--qps", "2000",
            "--push-url", f"{url}/hooks", "--ledger", str(self.home / "ledger.jsonl"),
        )  # fmt: skip
        address = children.address(sandbox, self.home / "sandbox.log")
        control = Control(address)
        with self.connect() as conn:
            shops = [(shop.code, shop.platform, shop.session) for shop in control.state().shops]
            sandbox_shops(conn, address, shops, START - timedelta(hours=1))
        trouble = {"duplicate_p": plan.twice, "reorder_p": plan.twice}
        lost = {"match": {"p": plan.lost_answers}, "do": {"drop_after": True}}
        control.faults({"seed": plan.seed, "rules": [lost], "push": trouble})
        self.start_work()
        self.speed(control, 86_400 / plan.day_s)
        return control

    def speed(self, control: Control, speed: float) -> None:
        state = control.speed(speed)
        with self.connect() as conn:
            follow(conn, state.now, speed)

    def start_work(self) -> None:
        quick = ["--calls-per-s", "1500", "--lease-s", "5", "--ask-after-s", "1", "--pull-every-s", "3"]
        self.work = self._start("work", *quick)

    def kill_work(self) -> None:
        assert self.work is not None
        self.work.send_signal(signal.SIGKILL)
        self.work.wait()
        self.running.remove(self.work)
        self.killed["work"] += 1
        self.start_work()

    def kill_database(self) -> None:
        pid = int((self.home / "postgres/data/postmaster.pid").read_text().split("\n")[0])
        os.kill(pid, signal.SIGKILL)
        self.killed["database"] += 1

    def _start(self, *arguments: str) -> subprocess.Popen[str]:
        child = children.start(list(arguments), self.environment, self.home / f"{arguments[0]}.log")
        self.running.append(child)
        return child


@contextmanager
def day(plan: Plan, home: Path) -> Iterator[tuple[Day, Control]]:
    with ExitStack() as stack:
        server = stack.enter_context(start(home))
        made = Day(plan, home, server)
        stack.callback(lambda: children.stop(made.running))
        yield made, made.begin()


def run(plan: Plan, home: Path, tell: Any = lambda _: None) -> Judgement:
    """One promotion day, broken as planned, then judged."""
    judgement = Judgement()
    began = time.monotonic()
    with day(plan, home) as (made, control):
        _break_things(made, control, tell)
        tell("the day is over, everything runs to its end")
        ended = _run_out(made, control, began + plan.patience_s, tell)
        judgement.must(ended, "not everything ended in time")
        judgement.seconds = round(time.monotonic() - began, 1)
        _judge(made, control, judgement)
        judgement.figures["killed"] = dict(made.killed)
    return judgement


def _break_things(made: Day, control: Control, tell: Any) -> None:
    """Kills at drawn moments of the first day."""
    plan, begun = made.plan, time.monotonic()
    moments = [(made.drawn.uniform(0.05, 0.95) * plan.day_s, made.kill_work) for _ in range(plan.kills)]
    moments += [
        (made.drawn.uniform(0.2, 0.8) * plan.day_s, made.kill_database) for _ in range(plan.database_kills)
    ]
    for at, breaks in sorted(moments, key=lambda pair: pair[0]):
        time.sleep(max(0.0, begun + at - time.monotonic()))
        tell(f"{breaks.__name__} at {at:.1f} s")
        breaks()
    time.sleep(max(0.0, begun + plan.day_s - time.monotonic()))


def _run_out(made: Day, control: Control, until: float, tell: Any) -> bool:
    """Virtual half-days pass, each as soon as nothing waits, until every application has ended."""
    control.faults({})
    made.speed(control, 60.0)
    while time.monotonic() < until:
        state = control.state()
        waiting = _waiting(made)
        tell(f"{state.now:%m-%d %H:%M} {dict(state.by_status)} pushes {state.pushes_waiting} ours {waiting}")
        idle = (
            not state.pushes_waiting
            and not state.behind
            and not sum(waiting.values()) - waiting["open cases"]
        )
        if idle and _ended(state) and not waiting["open cases"]:
            return True
        if idle:
            control.jump(state.now + timedelta(hours=12))
            made.speed(control, 60.0)
        time.sleep(0.3)
    return False


def _ended(state: State) -> bool:
    return (
        not state.arrivals_left
        and not state.pushes_waiting
        and set(state.by_status) <= FINAL
        and not state.behind
    )


def _waiting(made: Day) -> Mapping[str, int]:
    query = """SELECT (SELECT count(*) FROM arrival_todo), (SELECT count(*) FROM to_fetch),
      (SELECT count(*) FROM intent WHERE state IN ('approved', 'sending', 'unknown')),
      (SELECT count(*) FROM cases WHERE state NOT IN ('refunded', 'closed'))"""
    try:
        with made.connect() as conn:
            row = conn.execute(query).fetchone()
    except psycopg.Error:
        return {"database": 1, "open cases": 1}
    assert row is not None
    return dict(zip(("arrivals", "fetches", "intents", "open cases"), row, strict=True))


def _judge(made: Day, control: Control, judgement: Judgement) -> None:
    theirs = [(p.shop, p.refund_id, p.amount_fen) for p in control.ledger()]
    applications = {(a["shop"], str(a["refund_id"])): _end(a) for a in control.applications()}
    with made.connect() as conn:
        ours = conn.execute(
            "SELECT s.code, l.case_id, l.amount_fen, l.origin FROM ledger l JOIN shop s ON s.id = l.shop_id"
        ).fetchall()
        cases = {(r[0], r[1]): r[2:] for r in conn.execute(_CASES)}
        figures = {name: conn.execute(query).fetchall() for name, query in _FIGURES.items()}
    counts = Counter((shop, refund) for shop, refund, _ in theirs)
    judgement.must(max(counts.values(), default=0) <= 1, "the sandbox paid something twice")
    judgement.must(
        sorted(theirs) == sorted((o[0], o[1], o[2]) for o in ours),
        f"ledgers differ: {sorted(set(theirs) ^ {(o[0], o[1], o[2]) for o in ours})[:5]}",
    )
    judgement.must(set(cases) == set(applications), "cases and applications are not the same")
    wrong_state = [key for key, (state, *_) in cases.items() if _STATES[state] != applications.get(key)]
    judgement.must(not wrong_state, f"cases whose end differs: {wrong_state[:5]}")
    judgement.must(all(one[1] == 1 for one in cases.values()), "a case without exactly one live decision")
    judgement.must(figures["over"] == [], f"orders with more held than paid out: {figures['over'][:5]}")
    judgement.must(figures["parked"] == [], f"parked: {figures['parked'][:3]}")
    paid = Counter(o[3] for o in ours)
    judgement.figures |= {
        "applications": len(applications),
        "paid": len(theirs),
        "paid_fen": sum(p[2] for p in theirs),
        "by": dict(paid),
        "ends": dict(Counter(applications.values())),
        "intents": {f"{k} {s}": n for k, s, n in figures["intents"]},
        "decisions": figures["decisions"][0][0],
        "unknown_once": figures["unknown"][0][0],
    }


def _end(application: Mapping[str, Any]) -> str:
    """An exchange, repair or resend that succeeded ends without money: for us it is closed."""
    pays = application["dispute_type"] in ("REFUND", "REFUND_AND_RETURN")
    return str(application["status"]) if pays or application["status"] != "SUCCESS" else "CLOSED"


_STATES = {"refunded": "SUCCESS", "closed": "CLOSED"}
_CASES = """SELECT s.code, c.case_id, c.state, (SELECT count(*) FROM handling h JOIN decision d ON d.shop_id = h.shop_id
  AND d.case_id = h.case_id AND d.id = h.decision_id WHERE h.shop_id = c.shop_id AND h.case_id = c.case_id)
  FROM cases c JOIN shop s ON s.id = c.shop_id"""
_FIGURES = {
    "intents": "SELECT split_part(kind, ':', 1), state, count(*) FROM intent GROUP BY 1, 2 ORDER BY 1, 2",
    "decisions": "SELECT count(*) FROM decision",
    "unknown": "SELECT count(*) FROM happening WHERE kind = 'intent' AND what LIKE '% unknown%'",
    "over": """SELECT m.order_id, m.held_fen, l.paid_fen FROM order_money m
      LEFT JOIN (SELECT shop_id, order_id, sum(amount_fen) AS paid_fen FROM ledger GROUP BY 1, 2) l USING (shop_id, order_id)
      WHERE m.held_fen <> coalesce(l.paid_fen, 0)""",
    "parked": "SELECT source, place, why FROM parked LIMIT 5",
}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, default in vars(Plan()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(default), default=default)
    parser.add_argument("--home", type=Path)
    options = vars(parser.parse_args())
    home = options.pop("home") or Path(tempfile.mkdtemp(prefix="aftersale-day-"))
    judgement = run(Plan(**options), home, lambda text: sys.stderr.write(f"{text}\n"))
    sys.stdout.write(json.dumps(vars(judgement), ensure_ascii=False, indent=1, default=str) + "\n")
    return 1 if judgement.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
