"""One schedule on one lane: break things as drawn (safety), mend everything (liveness), then judge."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, LiteralString

from psycopg import Connection

from aftersale.sandbox.control import State
from tests.faults.judge import Applied, Finding, Paid, Theirs, judge
from tests.faults.real.place import Place
from tests.faults.real.proxy import Trap
from tests.faults.real.schedule import Break, Schedule

FINAL = ("SUCCESS", "CLOSED")
TRAFFIC_S_MAX = 1.5  # how long a step may take to come
LEASE_S = 0.8
LIVE_S_MAX = 180.0  # beside a busy machine it takes long
END_S_MAX = 10.0  # F7
LOOK_S = 0.05
# What a killed process had leased for real minutes is free at once: as if those minutes had passed.
LEASES: tuple[LiteralString, ...] = (
    "UPDATE to_fetch SET due_at = now() WHERE due_at > now()",
    "UPDATE pull_cursor SET lease_until = NULL, next_pull_at = now() WHERE lease_until IS NOT NULL",
    "UPDATE call_pace SET blocked_until = NULL WHERE blocked_until > now()",
)
WAITING: LiteralString = """
SELECT (SELECT count(*) FROM arrival_todo) + (SELECT count(*) FROM to_fetch)
  + (SELECT count(*) FROM intent WHERE state IN ('sending', 'unknown') OR (state = 'approved' AND due_at <= moment()))
"""
NEAR = 200  # bodies stored as the schedule began, whose answer comes after, count as well
FOUND: LiteralString = """
SELECT count(*), array_agg(id || ' at ' || received_at), (SELECT max(id) FROM arrival) FROM arrival WHERE sha256(body) = %s
"""
STORED: LiteralString = "SELECT sha256(body), count(*) FROM arrival WHERE id > %s GROUP BY 1"


@dataclass
class Told:
    """What one schedule did and what was found; `wrong` must stay empty."""

    seed: int
    family: str
    seconds: float = 0.0
    done: Counter[str] = field(default_factory=Counter)
    steps: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def run(place: Place, schedule: Schedule) -> Told:
    """Break, mend, judge."""
    told, began = Told(schedule.seed, schedule.family), time.monotonic()
    place.done, place.acknowledged.bodies = told.done, Counter()
    newest = place.patiently(
        lambda conn: conn.execute("SELECT coalesce(max(id), 0) FROM arrival").fetchone()
    )[0]
    applied = place.control.state().applications
    _break(place, schedule, told)
    _mend(place, schedule, told)
    told.wrong += rest(place)
    told.wrong += _lost(place, newest)
    told.done["applications"] += place.control.state().applications - applied
    told.done["bodies acknowledged"] += place.acknowledged.bodies.total()
    told.seconds = round(time.monotonic() - began, 2)
    return told


def _break(place: Place, schedule: Schedule, told: Told) -> None:
    """Traffic comes while the traps are set; a supervisor brings back what was killed."""
    place.fewer(schedule.workers)
    place.have(schedule.workers)
    traps = [(one, _trap(place, one, schedule.again)) for one in schedule.breaks]
    armed = [trap for _, trap in traps]
    place.calls.arm([t for t in armed if t.where == "call"], schedule.calls)
    place.pushes.arm([t for t in armed if t.where == "push"], schedule.pushes)
    place.database.arm([t for t in armed if t.where not in ("call", "push")], schedule.database)
    place.control.faults(schedule.script())
    _traffic(place, schedule.applications)
    until = time.monotonic() + TRAFFIC_S_MAX
    while time.monotonic() < until and not (armed and all(trap.fired.is_set() for trap in armed)):
        place.have(schedule.workers)
        time.sleep(LOOK_S)
    for one, trap in traps:
        fired = trap.fired.is_set()
        told.steps[f"{one.victim}: {one.step if fired else 'between steps'}"] += 1
        if not fired and one.victim != "connection":
            _victim(place, one, schedule.again)()
    told.done["faults"] += len(traps)


def _trap(place: Place, one: Break, again: bool) -> Trap:
    return Trap(one.where, one.what, one.stage, one.nth, one.fate, _victim(place, one, again))


def _victim(place: Place, one: Break, again: bool) -> Callable[[], None]:
    match one.victim:
        case "database":
            return partial(place.kill_database, again)
        case "worker":
            return place.kill_workers
        case "pause":
            return place.pause_workers
        case "term":
            return place.ask_to_end
        case "door":
            return place.kill_door
    return lambda: None


def _traffic(place: Place, wanted: int) -> None:
    """Both clocks go on until so many new applications have come."""
    before, span = place.control.state().applications, timedelta(seconds=20)
    for _ in range(40):
        state = place.jump(span)
        if state.applications - before >= wanted or not state.arrivals_left:
            return
        span = min(span * 1.5, timedelta(minutes=30))


def _mend(place: Place, schedule: Schedule, told: Told) -> None:
    """No more trouble from here on. A paused worker wakes up after its lease, with its successor at work."""
    if place.paused:
        place.have(schedule.workers)
        time.sleep(LEASE_S + 0.3)
        place.resume()
    for proxy in (place.calls, place.pushes, place.database):
        told.done["connections broken"] += proxy.broken
        proxy.broken = 0
        proxy.calm()
    told.done["calls in trouble"] += place.calls_in_trouble()
    place.control.faults({})
    place.fewer(schedule.workers)
    if not place.ended(END_S_MAX):
        told.wrong.append(f"F7: a worker did not end within {END_S_MAX:.0f} s of SIGTERM")
    place.have(schedule.workers)
    place.patiently(_free_leases, "owner")


def _free_leases(conn: Connection[Any]) -> None:
    for query in LEASES:
        conn.execute(query)


def _converged(place: Place, patience_s: float) -> list[Finding]:
    """Wait until nothing waits and the judge finds nothing; what it found last when that takes too long."""
    until, freed = time.monotonic() + patience_s, time.monotonic()
    findings = [Finding("P2", "it never came to rest")]
    with place.connect("owner") as conn:
        while time.monotonic() < until:
            resting = _rests(conn)
            if time.monotonic() - freed > 0.25:
                _free_leases(conn)
                freed = time.monotonic()
            conn.commit()
            if resting and _told_all(place.control.state()) and _rests(conn):
                findings = judge(conn, theirs(place))
                conn.commit()
                if not findings:
                    return []
            place.have(1)
            time.sleep(LOOK_S)
    return findings


def _rests(conn: Connection[Any]) -> bool:
    row = conn.execute(WAITING).fetchone()
    conn.commit()
    return row == (0,)


def _told_all(state: State) -> bool:
    return not state.pushes_waiting and not state.behind


def rest(place: Place, patience_s: float = LIVE_S_MAX) -> list[str]:
    """What is still wrong when nothing moves any more."""
    return [f"{one.promise}: {one.what}" for one in _converged(place, patience_s)]


def theirs(place: Place) -> Theirs:
    """The sandbox's side, for the judge."""
    payments = [Paid(one.refund_id, one.amount_fen) for one in place.control.ledger()]
    rows = place.control.applications()
    return Theirs(
        payments,
        [Applied(str(r["refund_id"]), int(r["refund_version"]), r["status"] in FINAL) for r in rows],
    )


def _lost(place: Place, newest: int) -> list[str]:
    """Every body that the door acknowledged since the schedule began is in the record, as often as that (P7).

    The door goes on: what it acknowledges while we look is the next schedule's.
    """
    acknowledged = dict(place.acknowledged.bodies)
    stored = dict(place.patiently(lambda conn: conn.execute(STORED, (newest - NEAR,)).fetchall()))
    return [
        f"P7: acknowledged {times} times and {stored.get(body, 0)} times in the record: {body.hex()[:12]}, "
        f"newest before {newest}, {place.patiently(partial(_found, body))}"
        for body, times in acknowledged.items()
        if stored.get(body, 0) < times
    ]


def _found(body: bytes, conn: Connection[Any]) -> str:
    """Where the whole record has it, for whoever looks for the reason."""
    row = conn.execute(FOUND, (body,)).fetchone()
    assert row is not None
    return f"in all {row[0]} times, as {row[1]}; last is {row[2]}"


def run_out(place: Place, patience_s: float, tell: Callable[[str], None] = lambda _: None) -> list[str]:
    """Half-days pass, each as soon as nothing waits, until every application has ended."""
    until = time.monotonic() + patience_s
    while time.monotonic() < until:
        findings = rest(place)
        state: State = place.control.state()
        tell(f"{state.now:%m-%d %H:%M} {dict(state.by_status)}")
        if findings:
            return findings
        if not state.arrivals_left and set(state.by_status) <= set(FINAL):
            return []
        place.jump(timedelta(hours=12))
    return [
        f"P2: not every application ended within {patience_s:.0f} s: {dict(place.control.state().by_status)}"
    ]
