"""The figures of a `make faults` into docs/safety.md: `python -m tests.faults.figures [var/faults.json]`."""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
SAFETY = ROOT / "docs" / "safety.md"
RESULT = ROOT / "var" / "faults.json"
BEGIN, END = "<!-- figures -->", "<!-- /figures -->"


def write(result: Path = RESULT, document: Path = SAFETY) -> None:
    """Replace what stands between the two marks."""
    before, _, rest = document.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    lines = "\n".join(block(json.loads(result.read_text("utf-8"))))
    document.write_text(f"{before}{BEGIN}\n{lines}\n{END}{after}", encoding="utf-8")


def block(figures: Mapping[str, Any]) -> Iterator[str]:
    """Markdown: a row a part, then what was done, then what was found."""
    seconds, commit, first = figures["seconds"], figures["commit"], figures["first_seed"]
    yield f"`make faults` at commit {commit}, seeds from {first}, {seconds:,.0f} s on two cores:"
    yield ""
    yield "| part | schedules | time | result |"
    yield "|---|---|---|---|"
    for part in figures["parts"]:
        told = "**FAILED**" if part["failed"] else "all kept"
        count = f"{part['schedules']:,}" if part["schedules"] else "–"
        yield f"| {part['name']} | {count} | {part['seconds']:,.0f} s | {told} |"
    done = [
        f"{what}: {times:,}"
        for part in figures["parts"]
        for what, times in part["figures"].get("done", {}).items()
    ]
    if done:
        yield ""
        yield from (f"- {one}" for one in done)
    for part in figures["parts"]:
        for one in part["figures"].get("wrong", ()):
            yield from (f"- **{text} (seed {one['seed']})**" for text in one["wrong"])


if __name__ == "__main__":
    if not RESULT.exists() and len(sys.argv) < 2:
        sys.exit(f"{RESULT}: run make faults first")
    write(*map(Path, sys.argv[1:2]))
