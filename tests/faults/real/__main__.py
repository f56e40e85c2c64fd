"""python -m tests.faults.real [--seeds N] [--from K] [--jobs J] [--seed S] [--json FILE]

Real processes, schedules K … K+N-1, each drawn from its seed alone. A schedule that failed is run again with
`--seed S`: the same script, on a fresh lane. The operating system schedules real processes, so the same instruction is not hit
again for certain; run it with `--times 20` then.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.faults.real.place import place, prepare
from tests.faults.real.run import run, run_out
from tests.faults.real.schedule import draw

PER_SCHEDULE = 6
RUN_OUT_S_MAX = 240.0


def lane(
    seeds: list[int], world: int, *, to_the_end: bool, prepared: Path | None = None
) -> Iterator[dict[str, Any]]:
    """One lane's schedules, each told when it is over; the last line tells of the run-out."""
    with tempfile.TemporaryDirectory(prefix="aftersale-lane-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        with place(home, world, PER_SCHEDULE * len(seeds) + 10, prepared) as made:
            for seed in seeds:
                yield vars(run(made, draw(seed)))
            if to_the_end:
                began = time.monotonic()
                made.have(2)
                wrong = run_out(made, RUN_OUT_S_MAX)
                state = made.control.state()
                done = {"refunds": state.payments, "run to the end": state.applications}
                seconds = round(time.monotonic() - began, 1)
                yield {
                    "seed": -1,
                    "family": "end",
                    "seconds": seconds,
                    "done": done,
                    "steps": {},
                    "wrong": wrong,
                }


def lanes(seeds: range, jobs: int, *, to_the_end: bool) -> Iterator[dict[str, Any]]:
    """The schedules spread over `jobs` lanes, as they end."""
    shares = [seeds[at::jobs] for at in range(jobs)]
    with tempfile.TemporaryDirectory(prefix="aftersale-prepared-", ignore_cleanup_errors=True) as prepared:
        prepare(Path(prepared))
        asked = [
            [list(share), seeds.start + at, to_the_end, prepared] for at, share in enumerate(shares) if share
        ]
        children = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.faults.real", "--lane", json.dumps(one)],
                stdout=subprocess.PIPE,
                text=True,
            )
            for one in asked
        ]
        yield from _lines(children)


def _lines(children: list[subprocess.Popen[str]]) -> Iterator[dict[str, Any]]:
    import selectors

    with selectors.DefaultSelector() as chosen:
        for child in children:
            assert child.stdout is not None
            chosen.register(child.stdout, selectors.EVENT_READ, child)
        while chosen.get_map():
            for key, _ in chosen.select():
                line = key.fileobj.readline()  # type: ignore[union-attr]
                if line:
                    yield json.loads(line)
                    continue
                chosen.unregister(key.fileobj)
                if key.data.wait() != 0:
                    wrong = [f"a lane ended with {key.data.returncode}"]
                    yield {
                        "seed": -1,
                        "family": "lane",
                        "seconds": 0,
                        "done": {},
                        "steps": {},
                        "wrong": wrong,
                    }


def total(told: list[dict[str, Any]], seconds: float) -> dict[str, Any]:
    """The figures of a run."""
    done: Counter[str] = Counter()
    steps: Counter[str] = Counter()
    for one in told:
        done.update(one["done"])
        steps.update(one["steps"])
    schedules = [one for one in told if one["seed"] >= 0]
    return {
        "schedules": len(schedules),
        "families": dict(Counter(one["family"] for one in schedules)),
        "seconds": round(seconds, 1),
        "done": dict(sorted(done.items())),
        "steps": dict(sorted(steps.items())),
        "wrong": [{"seed": one["seed"], "wrong": one["wrong"]} for one in told if one["wrong"]],
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=500)
    parser.add_argument("--from", type=int, default=0, dest="first")
    parser.add_argument("--jobs", type=int, default=3)
    parser.add_argument("--seed", type=int, help="only this schedule, on a fresh lane")
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--no-end", action="store_true", help="do not run every application to its end")
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--lane", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.lane:
        seeds, world, to_the_end, prepared = json.loads(chosen.lane)
        for one in lane(seeds, world, to_the_end=to_the_end, prepared=Path(prepared)):
            sys.stdout.write(json.dumps(one, ensure_ascii=False) + "\n")
            sys.stdout.flush()
        return 0
    began = time.monotonic()
    if chosen.seed is not None:
        sys.stderr.write(f"{draw(chosen.seed)}\n")
        heard = lane([chosen.seed] * chosen.times, chosen.seed, to_the_end=False)
    else:
        seeds = range(chosen.first, chosen.first + chosen.seeds)
        heard = lanes(seeds, chosen.jobs, to_the_end=not chosen.no_end)
    told = []
    for one in heard:
        told.append(one)
        _tell(one, len(told))
    figures = total(told, time.monotonic() - began)
    text = json.dumps(figures, ensure_ascii=False, indent=1)
    sys.stdout.write(text + "\n")
    if chosen.json:
        chosen.json.write_text(text + "\n", encoding="utf-8")
    return 1 if figures["wrong"] else 0


def _tell(one: dict[str, Any], number: int) -> None:
    for what in one["wrong"]:
        sys.stderr.write(
            f"seed {one['seed']}: {what}\n  again: python -m tests.faults.real --seed {one['seed']}\n"
        )
    if number % 25 == 0:
        sys.stderr.write(f"{number} schedules\n")


if __name__ == "__main__":
    sys.exit(main())
