"""What the jobs found in an upload, as its page shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aftersale.people import words
from aftersale.people.files.fields import fields
from aftersale.people.jobs.saying import sentence


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the file: its header, the field that it is, and what stands in the first row."""

    header: str
    field: str
    sample: str


@dataclass(frozen=True, slots=True)
class Bad:
    """A row that was left out, and why in the reader's language."""

    line: int
    column: str
    value: str
    why: str


@dataclass(frozen=True, slots=True)
class Figure:
    """Cases and their money under a title."""

    title: str
    cases: int
    amount_fen: int


def mapped(look: Mapping[str, Any], wrong: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The columns with what they are, the first rows, the bad ones. `wrong`: what was said of the columns since and did
    not fit, or was not read to its end; it is shown to be put right."""
    known = fields()
    said: Mapping[str, str] = wrong["columns"] if wrong else {}
    first: Sequence[str] = look["shown"][0][1:] if look.get("shown") else ()
    columns = [
        Column(header, field if field in known else "", first[at] if at < len(first) else "")
        for at, (header, field) in enumerate(
            (header, said.get(header, field)) for header, field in look.get("columns", ())
        )
    ]
    return {
        "known": bool(look.get("known")) and wrong is None,
        "wrong": wrong is not None,
        "kind": (wrong or look).get("kind"),
        "columns": columns,
        "layout": look.get("layout_en" if words.language() == "en" else "layout") or look.get("layout", ""),
        "found": look,
        "bad_rows": [_bad(*row) for row in look.get("bad_rows", ())],
        "good": int(look.get("rows", 0)) - int(look.get("bad", 0)),
    }


def _bad(line: int, column: str, value: str, say: str, values: Mapping[str, Any] | None = None) -> Bad:
    """What was found before sentences had values says itself."""
    return Bad(line, column, value, say if values is None else sentence(say, values))


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
