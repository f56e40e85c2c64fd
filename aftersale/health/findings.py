"""What a reading means: what is wrong, since when, what to do, worst first. docs/operation.md explains each code."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from aftersale.health.state import Reading
from aftersale.health.words import SAID

Level = Literal["critical", "warning", "note"]
IDLE_S = 60.0
UNKNOWN_S = 300.0
TRANSACTION_S = 600.0
BACKUP_S = 26 * 3600.0
GONE_S = 600.0
FREE_SHARE, FREE_BYTES, FREE_BYTES_CRITICAL = 0.1, 2 * 2**30, 2**29
SLOT_BYTES = 4 * 2**30

STAGES = {
    "arrival": "decide",
    "look": "decide",
    "fetch": "pull",
    "pull": "pull",
    "intent": "act",
    "unknown": "act",
    "job": "jobs",
}
"""Who does what is due."""
WAITS = ("arrival", "look", "fetch", "pull", "intent", "job")
LONG = ("reconcile", "jobs")
"""Stages whose turns may take long."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`since_s`: seconds it has lasted, None when not known. `given`: the values of its sentences in words.py."""

    code: str
    level: Level
    since_s: float | None = None
    given: Mapping[str, object] = field(default_factory=dict)
    words: str = ""

    def told(self) -> dict[str, str]:
        """`what` is wrong and what to `do`, in Chinese; `what_en` and `do_en`."""
        said = SAID[self.words or self.code]
        return {part: str(getattr(said, part)).format(**self.given) for part in said.__slots__}


RANK = {"critical": 0, "warning": 1, "note": 2}
AWAY = Finding("database_away", "critical")


def findings(reading: Reading) -> list[Finding]:
    """Worst first, the longest first among equals."""
    found = [
        *_workers(reading), *_waiting(reading), *_money(reading), *_instance(reading), *_place(reading), *_people(reading),
    ]  # fmt: skip
    return sorted(found, key=lambda one: (RANK[one.level], -(one.since_s or 0.0)))


def ok(found: list[Finding]) -> bool:
    """Nothing critical."""
    return all(one.level != "critical" for one in found)


def _workers(reading: Reading) -> Iterator[Finding]:
    alive = [one for one in reading.workers if one.alive]
    if not alive:
        since = min((one.seen_s for one in reading.workers), default=None)
        yield Finding("no_worker", "critical", since)
    for one in alive:
        if one.turn_s is not None and one.turn_s > IDLE_S and one.stage not in LONG:
            yield Finding("worker_stuck", "warning", one.turn_s, {"stage": one.stage})
    for one in reading.workers:
        if not one.alive and not one.replaced and alive and one.seen_s < GONE_S:
            yield Finding("worker_gone", "warning", one.seen_s, {"stage": one.stage})


def _waiting(reading: Reading) -> Iterator[Finding]:
    alive = {one.stage for one in reading.workers if one.alive}
    for kind in WAITS:
        age_s = reading.ages_s.get(kind)
        if age_s is None or age_s <= IDLE_S:
            continue
        if STAGES[kind] in alive:
            yield Finding(f"idle_{kind}", "critical", age_s)
        elif alive:
            yield Finding(f"unserved_{kind}", "critical", age_s, {"stage": STAGES[kind]})
    unknown_s = reading.ages_s.get("unknown")
    if unknown_s is not None and unknown_s > UNKNOWN_S:
        yield Finding("unknown_old", "warning", unknown_s, {"n": reading.counts["unknown"]})


def _money(reading: Reading) -> Iterator[Finding]:
    for one in reading.breakers:
        if one.reason != "instance":
            given = {"shop": one.shop, "reason": one.reason, "why": one.why.rstrip("。")}
            words = "breaker_shop" if one.reason == "authorisation" else ""
            yield Finding("breaker_open", "warning", one.since_s, given, words)
    for code, kind in (("differences_open", "differences"), ("ledger_uncompared", "uncompared")):
        if reading.counts[kind]:
            yield Finding(code, "warning", given={"n": reading.counts[kind]})


def _instance(reading: Reading) -> Iterator[Finding]:
    if not reading.accepted:
        yield Finding("copy_unaccepted", "critical", reading.reconcile_s)
    elif reading.reconcile_s is not None:
        yield Finding("reconcile_only", "warning", reading.reconcile_s)


def _place(reading: Reading) -> Iterator[Finding]:
    free, share = reading.disk_free_bytes, reading.disk_free_share
    if (
        free is not None
        and share is not None
        and ((share < FREE_SHARE and free < 10 * FREE_BYTES) or free < FREE_BYTES)
    ):
        level: Level = "critical" if free < FREE_BYTES_CRITICAL else "warning"
        yield Finding("disk_low", level, given={"free": f"{free / 2**30:.1f}"})
    transaction_s = reading.server.get("transaction_s")
    if transaction_s is not None and transaction_s > TRANSACTION_S:
        yield Finding("long_transaction", "warning", transaction_s)
    if reading.server.get("slots_lost"):
        yield Finding("backup_lost", "warning")
    if (reading.server.get("slot_bytes") or 0) > SLOT_BYTES:
        yield Finding("backup_behind", "warning")
    if reading.backup_s is None:
        yield Finding("no_backup", "note")
    elif reading.backup_s > BACKUP_S:
        yield Finding("backup_old", "warning", reading.backup_s)


def _people(reading: Reading) -> Iterator[Finding]:
    levels: Mapping[str, tuple[str, Level]] = {
        "deadlines_missed": ("missed", "warning"),
        "deadlines_at_risk": ("at_risk", "note"),
        "parked": ("parked", "note"),
        "stopped": ("switches", "note"),
    }
    for code, (kind, level) in levels.items():
        if reading.counts[kind]:
            yield Finding(code, level, given={"n": reading.counts[kind]})
