"""What a reading means: what is wrong, since when, what to do, worst first. docs/operation.md explains each code."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from aftersale.health.state import Reading

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
}
"""Who does what is due."""
WAITS = {
    "arrival": "pushes wait to be read",
    "look": "cases wait to be decided",
    "fetch": "objects wait to be fetched",
    "pull": "shops wait to be pulled",
    "intent": "approved actions wait to be sent",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """`since_s`: seconds it has lasted, None when not known."""

    code: str
    level: Level
    what: str
    do: str
    since_s: float | None = None


RANK = {"critical": 0, "warning": 1, "note": 2}
AWAY = Finding(
    "database_away",
    "critical",
    "PostgreSQL does not answer",
    "see the server's log; nothing is lost meanwhile",
)


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
        yield Finding("no_worker", "critical", "no worker is alive", "start `aftersale work`", since)
    for one in alive:
        if one.turn_s is not None and one.turn_s > IDLE_S and one.stage != "reconcile":
            what = f"stage {one.stage} of a worker has been in one turn for long"
            yield Finding("worker_stuck", "warning", what, "its watchdog ends it; see its log", one.turn_s)
    for one in reading.workers:
        if not one.alive and not one.replaced and alive and one.seen_s < GONE_S:
            what = f"stage {one.stage} of a worker is gone"
            yield Finding(
                "worker_gone", "warning", what, "unless you stopped it, see its supervisor", one.seen_s
            )


def _waiting(reading: Reading) -> Iterator[Finding]:
    alive = {one.stage for one in reading.workers if one.alive}
    for kind, what in WAITS.items():
        age_s = reading.ages_s.get(kind)
        if age_s is None or age_s <= IDLE_S:
            continue
        if STAGES[kind] in alive:
            yield Finding(
                f"idle_{kind}", "critical", f"{what} though a worker lives", "see the worker's log", age_s
            )
        elif alive:
            do = f"start `aftersale work` or `aftersale work --only {STAGES[kind]}`"
            yield Finding(f"unserved_{kind}", "critical", f"{what} and no worker does that", do, age_s)
    unknown_s = reading.ages_s.get("unknown")
    if unknown_s is not None and unknown_s > UNKNOWN_S:
        what = f"{reading.counts['unknown']} sent actions have no known outcome"
        yield Finding(
            "unknown_old", "warning", what, "the platform is asked; if it is well, see its page", unknown_s
        )


def _money(reading: Reading) -> Iterator[Finding]:
    for one in reading.breakers:
        if one.reason != "instance":
            what = f"a breaker stopped sending ({one.reason})"
            yield Finding(
                "breaker_open",
                "warning",
                what,
                "find out why, then release it on the switches page",
                one.since_s,
            )
    if reading.counts["differences"]:
        what = f"{reading.counts['differences']} refunds differ from the platform's ledger"
        yield Finding("differences_open", "warning", what, "resolve them on the money page")
    if reading.counts["uncompared"]:
        what = (
            f"{reading.counts['uncompared']} shops were not compared with the platform's ledger for 36 hours"
        )
        yield Finding("ledger_uncompared", "warning", what, "run `aftersale ledger`, see the worker's log")


def _instance(reading: Reading) -> Iterator[Finding]:
    if not reading.accepted:
        do = "if this copy shall work from now on and the other one is off: `aftersale instance accept`"
        yield Finding(
            "copy_unaccepted", "critical", "this database is a copy; nothing is sent", do, reading.reconcile_s
        )
    elif reading.reconcile_s is not None:
        do = "wait: everything under way is asked about first; a shop that cannot be asked holds it up"
        yield Finding(
            "reconcile_only",
            "warning",
            "after a restore or a silence only questions are sent",
            do,
            reading.reconcile_s,
        )


def _place(reading: Reading) -> Iterator[Finding]:
    free, share = reading.disk_free_bytes, reading.disk_free_share
    if (
        free is not None
        and share is not None
        and ((share < FREE_SHARE and free < 10 * FREE_BYTES) or free < FREE_BYTES)
    ):
        level: Level = "critical" if free < FREE_BYTES_CRITICAL else "warning"
        yield Finding(
            "disk_low", level, f"{free / 2**30:.1f} GiB are free for the database", "free some space"
        )
    transaction_s = reading.server.get("transaction_s")
    if transaction_s is not None and transaction_s > TRANSACTION_S:
        what = "a transaction of ours has been open for long"
        yield Finding("long_transaction", "warning", what, "find it in pg_stat_activity", transaction_s)
    if reading.server.get("slots_lost"):
        what = "a backup fell too far behind and lost changes"
        yield Finding("backup_lost", "warning", what, "run `aftersale backup` into that folder again")
    if (reading.server.get("slot_bytes") or 0) > SLOT_BYTES:
        what = "the server keeps many changes for a backup that does not fetch them"
        yield Finding(
            "backup_behind",
            "warning",
            what,
            "run `aftersale backup`, or drop the slot of a folder that is gone",
        )
    if reading.backup_s is None:
        yield Finding(
            "no_backup",
            "note",
            "no backup is known",
            "run `aftersale backup DIR` every day, or archive the WAL",
        )
    elif reading.backup_s > BACKUP_S:
        yield Finding(
            "backup_old", "warning", "the last backup is old", "run `aftersale backup`", reading.backup_s
        )


def _people(reading: Reading) -> Iterator[Finding]:
    counts = reading.counts
    if counts["missed"]:
        what = f"{counts['missed']} deadlines were missed within a day"
        yield Finding("deadlines_missed", "warning", what, "the timeline of each case says what kept it")
    if counts["at_risk"]:
        what = f"{counts['at_risk']} cases in queues are due within 30 minutes"
        yield Finding("deadlines_at_risk", "note", what, "more people for the queues")
    if counts["parked"]:
        what = f"{counts['parked']} pieces of input could not be understood"
        yield Finding(
            "parked", "note", what, "`SELECT source, place, why FROM parked WHERE resolved_at IS NULL`"
        )
    if counts["switches"]:
        yield Finding(
            "stopped", "note", f"{counts['switches']} switches are thrown by people", "see the switches page"
        )
