"""make faults: everything that can break is broken, and the marketplace's own ledger is the judge.

    make faults                       12 minutes on two cores
    make faults ARGS=--planted        does the harness see? sixty bugs, one at a time, four minutes
    make faults ARGS=--short          3 minutes at most, what a change must pass
    make faults ARGS='--soak 8h'      a night: seeds never tried before until the time is over
    make faults ARGS='--from 50000'   other seeds

Every failure is told with its seed and the command that runs it again. Exit code 1 when anything was found.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.real.report import table

HERE = Path(__file__).parent.parent.parent
ROOM_BYTES = 6 * 1024**3
UNITS = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True)
class Amount:
    """How much of each part."""

    simulated: int
    real: int
    planted: bool
    restores: bool
    real_to_the_end: bool = True


FULL = Amount(5000, 500, planted=False, restores=True)
PLANTED = Amount(0, 0, planted=True, restores=False)
SHORT = Amount(600, 24, planted=False, restores=True, real_to_the_end=False)
ROUND = Amount(10_000, 250, planted=False, restores=True)


@dataclass
class Part:
    """One part of a run: its exit code, and its figures where it writes them."""

    name: str
    seconds: float
    failed: bool
    schedules: int = 0
    figures: dict[str, Any] = field(default_factory=dict)


def main() -> int:
    options = _options()
    began = time.monotonic()
    parts: list[Part] = []
    rounds = (
        _rounds(options.soak, options.first) if options.soak else iter([(options.first, _amount(options))])
    )
    for first, amount in rounds:
        parts += _run(first, amount, options.jobs)
        if options.soak:
            _say(
                f"{sum(p.schedules for p in parts)} schedules, {sum(p.failed for p in parts)} parts failed\n"
            )
    figures = {
        "seconds": round(time.monotonic() - began, 1),
        "commit": _commit(),
        "first_seed": options.first,
        "parts": [vars(part) for part in parts],
    }
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    _say(table(figures))
    _say(f"figures: {options.json}\n")
    return int(any(part.failed for part in parts))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make faults", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--short", action="store_true", help="3 minutes at most")
    parser.add_argument("--planted", action="store_true", help="only the planted bugs")
    parser.add_argument("--soak", type=_seconds, metavar="8h", help="go on with new seeds for so long")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first seed")
    parser.add_argument("--simulated", type=int, help="schedules of the simulation")
    parser.add_argument("--real", type=int, help="schedules of real processes")
    parser.add_argument("--jobs", type=int, default=2, help="processor cores to use")
    parser.add_argument(
        "--json", type=Path, default=HERE / "var" / "faults.json", help="where the figures go"
    )
    return parser.parse_args()


def _seconds(text: str) -> float:
    try:
        return float(text[:-1]) * UNITS[text[-1]]
    except (KeyError, ValueError, IndexError):
        raise argparse.ArgumentTypeError(f"{text!r} is no length of time such as 90s, 30m or 8h") from None


def _amount(options: argparse.Namespace) -> Amount:
    base = SHORT if options.short else PLANTED if options.planted else FULL
    simulated = base.simulated if options.simulated is None else options.simulated
    real = base.real if options.real is None else options.real
    return Amount(simulated, real, base.planted, base.restores, base.real_to_the_end)


def _rounds(soak_s: float, first: int) -> Iterator[tuple[int, Amount]]:
    until = time.monotonic() + soak_s
    while time.monotonic() < until:
        yield first, ROUND
        first += max(ROUND.simulated, ROUND.real)


def _run(first: int, amount: Amount, jobs: int) -> Iterator[Part]:
    """The drills mostly wait, so they run beside the simulation."""
    drills = None
    if amount.restores:
        only = () if amount.real_to_the_end else ("--only", "restore")
        drills = _Running("drills", 4, "tests.faults.real.drills", *only, told=True)
    if amount.simulated:
        asked = ["--seeds", amount.simulated, "--from", first, "--jobs", jobs]
        yield _Running("simulation", amount.simulated, "tests.faults.simulation", *asked).ended()
    if drills:
        yield drills.ended()
    if amount.planted:
        yield _Running("planted bugs", 0, "tests.faults.planted").ended()
    if amount.real:
        end = () if amount.real_to_the_end else ("--no-end",)
        asked = ["--seeds", amount.real, "--from", first, "--jobs", 3 * jobs, *end]
        yield _Running("real processes", amount.real, "tests.faults.real", *asked, told=True).ended()
    if amount is ROUND:
        asked = ["--seed", first, "--applications", 5000, "--kills", 6, "--database-kills", 3]
        yield _Running("promotion day", 1, "tests.faults.promotion_day", *asked).ended()


class _Running:
    """A module at work; when `told`, it writes its figures where --json says."""

    def __init__(self, name: str, schedules: int, module: str, *asked: object, told: bool = False) -> None:
        _say(f"== {name}\n")
        self._name, self._schedules, self._began = name, schedules, time.monotonic()
        self._figures = HERE / "var" / f"faults-{module.rpartition('.')[2]}.json" if told else None
        line = [sys.executable, "-m", module, *map(str, asked)]
        if self._figures:
            self._figures.parent.mkdir(exist_ok=True)
            self._figures.unlink(missing_ok=True)
            line += ["--json", str(self._figures)]
        self._process = subprocess.Popen(line, cwd=HERE, env={**os.environ, **_memory()})

    def ended(self) -> Part:
        """What it came to, once it is over."""
        failed = self._process.wait() != 0
        read = {}
        if self._figures and self._figures.exists():
            read = json.loads(self._figures.read_text("utf-8"))
            self._figures.unlink()
        seconds = round(time.monotonic() - self._began, 1)
        return Part(self._name, seconds, failed, self._schedules, read)


def _memory() -> dict[str, str]:
    """Files in memory where there is room: processes are killed here, machines are not (single/test_disk.py has a disk)."""
    shared = Path("/dev/shm")
    if "TMPDIR" in os.environ or not os.access(shared, os.W_OK):
        return {}
    return {"TMPDIR": str(shared)} if shutil.disk_usage(shared).free > ROOM_BYTES else {}


def _commit() -> str:
    asked = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(asked, cwd=HERE, capture_output=True, text=True, check=False).stdout.strip()


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
