"""What the jobs found in an upload, as its page shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aftersale.people import words
from aftersale.people.files.fields import fields


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the file: its header, the field that it is, and what stands in the first row."""

    header: str
    field: str
    sample: str


@dataclass(frozen=True, slots=True)
class Figure:
    """Cases and their money under a title."""

    title: str
    cases: int
    amount_fen: int


def mapped(look: Mapping[str, Any]) -> dict[str, Any]:
    """The columns with what they are, the first rows, the bad ones."""
    known = fields()
    first: Sequence[str] = look["shown"][0][1:] if look.get("shown") else ()
    columns = [
        Column(header, field if field in known else "", first[at] if at < len(first) else "")
        for at, (header, field) in enumerate(look.get("columns", ()))
    ]
    return {
        "known": bool(look.get("known")),
        "columns": columns,
        "found": look,
        "good": int(look.get("rows", 0)) - int(look.get("bad", 0)),
    }


def judged(found: Mapping[str, Any]) -> dict[str, Any]:
    """What the book would say: tiles, queues and rules with their titles."""
    return {
        "cases": _figure("", found["cases"]),
        "auto": _figure("", found["auto"]),
        "person": _figure("", found["person"]),
        "done": _figure("", found["done"]),
        "queues": [_figure(words.word("queue", one["name"]), one) for one in found["by_queue"]],
        "rules": [_figure(words.rule(one["name"]), one) for one in found["by_rule"]],
        "passed": _figure("", found["deadlines"]["passed"]),
        "soon": _figure("", found["deadlines"]["within_2_h"]),
        "finished": found["finished"],
    }


def _figure(title: str, tally: Mapping[str, Any]) -> Figure:
    return Figure(title, int(tally["cases"]), int(tally["amount_fen"]))
