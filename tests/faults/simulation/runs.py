"""Many seeds over several processes, each with a database of its own."""

import multiprocessing
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field

from aftersale.pg.server import Server
from tests.faults.judge import Finding
from tests.faults.simulation.cores import shared_out, stay
from tests.faults.simulation.place import Place, copied, urls
from tests.faults.simulation.schedule import Schedule

CHUNK = 8


@dataclass
class Told:
    """What some seeds came to."""

    done: int = 0
    failed: dict[int, list[Finding]] = field(default_factory=dict)
    hashes: dict[int, str] = field(default_factory=dict)
    cells: Counter[tuple[str, str]] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Told") -> None:
        self.done += other.done
        self.failed |= other.failed
        self.hashes |= other.hashes
        self.cells += other.cells
        self.errors += other.errors


def run_seeds(place: Place, seeds: Iterable[int]) -> Told:
    """These seeds, one after the other, in one place. What breaks the harness or the product counts as found."""
    told = Told()
    for seed in seeds:
        told.done += 1
        one = Schedule(place, seed)
        try:
            result = one.run()
        except Exception as error:  # noqa: BLE001 - whatever it is, the seed is kept
            told.failed[seed] = [Finding("P19", f"{type(error).__name__}: {error}")]
            place.forget()
            continue
        told.hashes[seed] = result.hash
        told.cells += result.cells
        told.errors += result.errors
        if result.findings:
            told.failed[seed] = result.findings
    return told


_here: list[Place] = []


def _begin(admin_url: str, app_url: str, cores: "multiprocessing.Queue[int | None]") -> None:
    core = cores.get()
    stay(core)
    _here.append(copied(admin_url, app_url, f"simulation_{os.getpid()}", core))


def _work(seeds: Sequence[int]) -> Told:
    return run_seeds(_here[0], seeds)


def spread(server: Server, seeds: Sequence[int], jobs: int) -> Iterator[Told]:
    """The seeds in `jobs` processes, each on a core of its own; what each chunk came to, as it is done."""
    chunks = [seeds[at : at + CHUNK] for at in range(0, len(seeds), CHUNK)]
    context = multiprocessing.get_context("spawn")
    cores = context.Queue()
    for core in shared_out(jobs):
        cores.put(core)
    with ProcessPoolExecutor(jobs, context, _begin, (*urls(server), cores)) as pool:
        for done in as_completed([pool.submit(_work, chunk) for chunk in chunks]):
            yield done.result()
