"""`python -m tests.faults.planted [names]`: plant every bug and print what noticed it; exit code 1 when one stays hidden."""

import sys

from tests.faults.planted.bugs import BUGS
from tests.faults.planted.hunt import Hunt
from tests.faults.simulation.place import place, server


def main(names: list[str]) -> int:
    hidden = 0
    with server() as running, place(running, "sound") as sound:
        hunt = Hunt(running, sound)
        for bug in BUGS:
            if names and bug.name not in names:
                continue
            one = hunt.hunt(bug)
            hidden += one.seed is None
            seen = f"{one.finding.promise} {one.finding.what}" if one.finding else "NOT NOTICED"
            sys.stdout.write(
                f"{bug.promise:4} {bug.name:20} seed {one.seed!s:>4} {one.seconds:5.1f} s  {bug.sentence}: {seen}\n"
            )
            sys.stdout.flush()
    return bool(hidden)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
