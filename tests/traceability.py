"""docs/traceability.md: where each requirement is held. `python -m tests.traceability`.

Found by itself: rules of the books, metric definitions, scripts, docstrings and SQL comments that name a requirement.
Said by hand in docs/traceability.yaml: the name of each requirement, other places, and what comes later.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from aftersale.rulebooks import books
from tests.tidy import sources

ROOT = Path(__file__).parent.parent
DOCUMENT = ROOT / "docs" / "traceability.md"
SAID = ROOT / "docs" / "traceability.yaml"
NUMBER = re.compile(r"R-(\d{3})(?:\s*(?:…|–|\.\.)\s*R-(\d{3}))?")
LAST = 370
DATA = ("deadlines", "metric_definitions", "scripts", "strategies", "tracking", "actions", "calendar")


def said() -> Mapping[str, Mapping[str, Any]]:
    """Number → {name, places: [...], later: …}."""
    return dict(yaml.safe_load(SAID.read_text("utf-8")))


def numbers(text: str) -> Iterator[str]:
    """Every requirement that a text names, ranges written out."""
    for match in NUMBER.finditer(text):
        first, last = int(match[1]), int(match[2] or match[1])
        yield from (f"R-{number:03}" for number in range(first, last + 1))


def held() -> dict[str, list[str]]:
    """Number → places, as Markdown: rules first, then functions, then what is said by hand."""
    found: dict[str, list[str]] = {f"R-{number:03}": [] for number in range(1, LAST + 1)}
    for number, place in (*_rules(), *_data(), *_functions(), *_statements()):
        if number in found and place not in found[number]:
            found[number].append(place)
    for number, entry in said().items():
        found[number] += [place for place in entry.get("places", ()) if place not in found[number]]
    return found


def _rules() -> Iterator[tuple[str, str]]:
    for name in books.shipped():
        for rule in books.book(name).rules:
            for number in numbers(rule.requirement):
                yield number, f"rule `{name}.{rule.name}`"


def _data() -> Iterator[tuple[str, str]]:
    """Entries of data files that are no rulebooks, by line."""
    for path, text in sources(".yaml", under="aftersale/").items():
        name = path.rsplit("/", 1)[-1].removesuffix(".yaml")
        if name in books.shipped() and name not in DATA:
            continue
        for line in text.splitlines():
            yield from ((number, f"`{path}`") for number in numbers(line))


def _functions() -> Iterator[tuple[str, str]]:
    for path, text in sources(".py", under="aftersale/").items():
        tree = ast.parse(text)
        for node in ast.walk(tree):
            if isinstance(node, (ast.Module, ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)):
                named = f"`{path}`" + ("" if isinstance(node, ast.Module) else f" `{node.name}`")
                yield from ((number, named) for number in numbers(ast.get_docstring(node) or ""))


def _statements() -> Iterator[tuple[str, str]]:
    for path, text in sources(".sql", ".html", ".js", under="aftersale/").items():
        yield from ((number, f"`{path}`") for number in numbers(text))


def render() -> str:
    """The whole document."""
    told, places = said(), held()
    later = sum(1 for number, found in places.items() if not found and told[number].get("later"))
    lines = [
        "# Where each requirement is held\n",
        "Made by `python -m tests.traceability`: rules and docstrings name their requirements; what cannot be found so,",
        "and what comes later, is said in [traceability.yaml](traceability.yaml).\n",
        f"{LAST - later} of {LAST} are held, {later} come later.\n",
        "| # | name | held by | later |",
        "|---|---|---|---|",
    ]
    for number, found in places.items():
        shown = "<br>".join(found[:6]) + (f"<br>and {len(found) - 6} more" if len(found) > 6 else "")
        lines.append(
            f"| {number} | `{told[number]['name']}` | {shown or '–'} | {told[number].get('later') or ''} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(render(), encoding="utf-8")
