"""`python -m tests.faults.simulation`: run seeds, or replay one.

--seeds 1000 --from 0 --jobs 2     that many seeds; exit code 1 when one fails, with the commands that replay them
--seed 17 --trace                  this seed, with everything that happened
"""

import argparse
import sys
import time
from collections import Counter

from tests.faults.simulation.calls import TROUBLES
from tests.faults.simulation.draw import DEEDS, PUSHES
from tests.faults.simulation.market import MOVES
from tests.faults.simulation.place import place, server
from tests.faults.simulation.points import FLOWS, crash_points
from tests.faults.simulation.runs import Told, spread
from tests.faults.simulation.schedule import Schedule

STATES = ("planned", "approved", "sending", "unknown", "done", "refused", "cancelled", "with_person")
HITS_MIN = 10
FAULTS = (*TROUBLES, *MOVES, *(f"push {one}" for one in PUSHES), "delayed effect", "restored",
          *(f"{deed} {side} a SQL" for deed in DEEDS for side in ("before", "after")))  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--trace", action="store_true")
    parser.add_argument("--points", action="store_true")
    options = parser.parse_args()
    if options.points:
        return every_point()
    return one(options.seed, options.trace) if options.seed is not None else many(options)


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def one(seed: int, trace: bool) -> int:
    """Replay a seed."""
    with server() as running, place(running, "one") as here:
        result = Schedule(here, seed).run()
    if trace:
        say("\n".join(result.trace))
    for finding in result.findings:
        say(f"{finding.promise}: {finding.what}")
    say(f"seed {seed}, {len(result.trace)} events, trace {result.hash}, {len(result.findings)} findings")
    return bool(result.findings)


def every_point() -> int:
    """Each flow, struck once at each of its points."""
    failed = 0
    with server() as running, place(running, "points") as here:
        for name, flow in FLOWS.items():
            told = crash_points(here, flow)
            failed += len(told.failed)
            say(f"{name}: {told.points} points, {len(told.failed)} failed")
            for (deed, at), findings in told.failed.items():
                say(f"  {deed} at {at}: " + "; ".join(f"{one.promise} {one.what}" for one in findings))
    return bool(failed)


def many(options: argparse.Namespace) -> int:
    """A range of seeds over several processes."""
    seeds = range(options.first, options.first + options.seeds)
    told, began = Told(), time.monotonic()
    with server() as running:
        for chunk in spread(running, seeds, options.jobs):
            told.add(chunk)
            for seed, findings in sorted(chunk.failed.items()):
                say(f"seed {seed}: " + "; ".join(f"{one.promise} {one.what}" for one in findings))
            if told.done % 200 < 8 or told.done == len(seeds):
                pace = told.done / (time.monotonic() - began) * 60
                say(f"{told.done} of {len(seeds)} schedules, {pace:.0f} a minute, {len(told.failed)} failed")
    say(coverage(told.cells))
    for name, count in told.errors.most_common(12):
        say(f"{count:6} × {name}")
    for seed in sorted(told.failed):
        say(f"replay: python -m tests.faults.simulation --seed {seed} --trace")
    return bool(told.failed)


def coverage(cells: Counter[tuple[str, str]]) -> str:
    """Fault × state of intents that were there: how often, and which were never hit or too seldom."""
    faults = sorted({fault for fault, _ in cells} | set(FAULTS))
    lines = [" ".join([f"{'fault':38}", *(f"{state[:9]:>9}" for state in STATES)])]
    lines += [
        " ".join([f"{fault:38}", *(f"{cells[fault, state] or '-':>9}" for state in STATES)])
        for fault in faults
    ]
    hit = {fault: [cells[fault, state] for state in STATES] for fault in faults}
    for title, seldom in (("never hit", range(1)), (f"hit fewer than {HITS_MIN} times", range(1, HITS_MIN))):
        lines.append(f"cells {title}:")
        for fault, counts in hit.items():
            named = [state for state, count in zip(STATES, counts, strict=True) if count in seldom]
            lines += [f"  {fault}: {', '.join(named)}"] if named else []
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
