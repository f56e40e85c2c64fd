"""`python -m tests.faults.planted [names]`: plant every bug and print what noticed it; exit code 1 when one stays hidden."""

import sys

from tests.faults.planted.bugs import BUGS
from tests.faults.planted.hunt import Caught, Hunt
from tests.faults.simulation.place import place, server


def _by(one: Caught) -> str:
    if one.bug.check:
        return f"check {one.bug.check.__name__}"
    return f"seed {one.seed!s:>4} after {one.schedules:3}"


def main(names: list[str]) -> int:
    hidden = 0
    with server() as running, place(running, "sound") as sound:
        hunt = Hunt(running, sound)
        for bug in BUGS:
            if names and bug.name not in names:
                continue
            one = hunt.hunt(bug)
            hidden += one.finding is None
            seen = f"{one.finding.promise} {one.finding.what}" if one.finding else "NOT NOTICED"
            sys.stdout.write(
                f"{bug.promise:4} {bug.name:24} {_by(one):20} {one.seconds:5.1f} s  {bug.sentence}: {seen}\n"
            )
            sys.stdout.flush()
    return bool(hidden)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
