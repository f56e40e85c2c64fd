"""The table at the end of `make faults`."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

FOUND = {
    "P1": "paid twice",
    "P2": "left without an end or an owner",
    "P3": "ledgers that differ",
    "P7": "lost",
}


def table(figures: Mapping[str, Any]) -> str:
    """A line a part, then what was done to real processes, then what was found."""
    lines = [f"{'part':20}{'schedules':>10}{'seconds':>10}  result"]
    lines += [
        f"{part['name']:20}{part['schedules'] or '':>10}{part['seconds']:>10}  "
        f"{'FAILED' if part['failed'] else 'all kept'}"
        for part in figures["parts"]
    ]
    done: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for part in figures["parts"]:
        done.update(part["figures"].get("done", {}))
        wrong.update(text[:2] for one in part["figures"].get("wrong", ()) for text in one["wrong"])
    lines += ["", "real processes:"]
    lines += [f"{times:>10}  {what}" for what, times in sorted(done.items())]
    lines += [f"{wrong[promise]:>10}  {what}" for promise, what in FOUND.items()]
    lines.append(f"{sum(wrong.values()) - sum(wrong[p] for p in FOUND):>10}  anything else found")
    lines.append(f"from seed {figures['first_seed']}, {figures['seconds']} s, commit {figures['commit']}")
    return "\n".join(lines) + "\n"
