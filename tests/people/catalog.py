"""The sentences of the pages and their English catalog; needs no gettext programs.

`python -m tests.people.catalog` writes django.mo from django.po.
"""

import ast
import re
import struct
from collections.abc import Iterator
from pathlib import Path

from django.utils.translation.template import templatize

ROOT = Path(__file__).parents[2] / "aftersale"
PO = ROOT / "people/locale/en/LC_MESSAGES/django.po"
MO = PO.with_suffix(".mo")
SAYING = (
    ROOT / "cases/audit/__init__.py",
    ROOT / "cases/people.py",
    ROOT / "cases/ledger.py",
    ROOT / "cases/approvals.py",
    ROOT / "people/acts.py",
    *sorted((ROOT / "publishing").glob("*.py")),
    *sorted((ROOT / "people/accounts").glob("*.py")),
    ROOT / "people/settings/form.py",
    *sorted(ROOT.glob("cases/work_orders/*.py")),
    *sorted(ROOT.glob("core/workorders/*.py")),
    *sorted(ROOT.glob("people/work_orders/*.py")),
    *sorted((ROOT / "cases/casework").glob("*.py")),
    *sorted((ROOT / "people/evidence").glob("*.py")),
    *sorted((ROOT / "refusing").glob("*.py")),
    ROOT / "people/playbook/acts.py",
    *sorted((ROOT / "cases/returns").glob("*.py")),
    ROOT / "people/returns/photos.py",
    ROOT / "api/tokens.py",
    ROOT / "api/own.py",
    ROOT / "people/refusing/page.py",
)  # their refusals are shown to people
FAULTS = (
    *sorted((ROOT / "core").glob("*.py")),
    *sorted((ROOT / "core/language").glob("*.py")),
    ROOT / "core/clocks/reading.py",
    *sorted((ROOT / "rulebooks/editing").glob("*.py")),
    ROOT / "rulebooks/books.py",
    ROOT / "rulebooks/calendar.py",
    ROOT / "rulebooks/told.py",
    ROOT / "publishing/release.py",
    ROOT / "plan/source.py",
    ROOT / "plan/duck.py",
    ROOT / "plan/history.py",
    *sorted((ROOT / "cli/backtest").glob("*.py")),
)  # what is wrong with a rulebook, a value or a history
UNREAD = tuple(sorted((ROOT / "intake/files").glob("*.py")))  # why a file or a row of it could not be read


def sentences() -> dict[str, str]:
    """Every msgid of templates and modules, with the file that says it."""
    found: dict[str, str] = {}
    for path in [*sorted(ROOT.rglob("templates/**/*.html")), *sorted(ROOT.rglob("*.py"))]:
        said = path.read_text("utf-8")
        source = templatize(said, origin=str(path)) if path.suffix == ".html" else said
        read = _template if path.suffix == ".html" else _module
        refusals = _refusals(source) if path in SAYING else ()
        unread = _unread(source) if path in UNREAD else ()
        faults = _faults(source) if path in FAULTS else ()
        for sentence in [*read(source), *refusals, *unread, *faults]:
            found.setdefault(sentence, path.name)
    return found


def _template(source: str) -> Iterator[str]:
    for call in re.finditer(r"\b(?:gettext|_)\(\s*(u?(?:\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'))", source):
        yield ast.literal_eval(call[1].removeprefix("u"))
    for call in re.finditer(
        r"\bngettext\(\s*(u?\"\"\".*?\"\"\"|u?(?:\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'))", source, re.S
    ):
        yield ast.literal_eval(call[1].removeprefix("u"))


def _module(source: str) -> Iterator[str]:
    tree = ast.parse(source)
    names = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
        for alias in node.names
        if alias.name in ("gettext", "ngettext")
    }
    yield from _arguments(tree, names, 0)


def _refusals(source: str) -> Iterator[str]:
    yield from _arguments(ast.parse(source), {"Refusal"}, 1)


def _unread(source: str) -> Iterator[str]:
    tree = ast.parse(source)
    yield from _arguments(tree, {"BadCell", "saying"}, 0)
    yield from _arguments(tree, {"BadField", "UnusableFile", "UnknownLayout", "WrongMapping"}, 1)


FAULT_PLACES = {
    "saying": 0,
    "UnusableData": 0,
    "Unfit": 0,
    "ExpressionError": 1,
    "fail": 1,
    "RulebookError": 3,
}


def _faults(source: str) -> Iterator[str]:
    """Also of `say = …`, for a sentence too long for its call."""
    tree = ast.parse(source)
    for name, place in FAULT_PLACES.items():
        yield from _arguments(tree, {name}, place)
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            yield from _said(node.targets[0], node.value)


def _said(target: ast.expr, value: ast.expr) -> Iterator[str]:
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one, its in zip(target.elts, value.elts, strict=True):
            yield from _said(one, its)
    elif isinstance(target, ast.Name) and target.id == "say" and isinstance(value, ast.Constant):
        yield str(value.value)


def unsaid(source: str) -> Iterator[int]:
    """Lines at which a fault is put together from parts, so that no catalog could hold it."""
    for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
        place = FAULT_PLACES.get(_name(call))
        said = call.args[place] if place is not None and len(call.args) > place else None
        if isinstance(said, ast.JoinedStr | ast.BinOp | ast.IfExp):
            yield said.lineno


def _name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def _arguments(tree: ast.Module, names: set[str], place: int) -> Iterator[str]:
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        said = call.args[place] if len(call.args) > place and _name(call) in names else None
        if isinstance(said, ast.Constant):
            yield str(said.value)


def entries(po: str) -> dict[str, list[str]]:
    """msgid → its translations (several for plurals). Fuzzy marks are a fault."""
    assert "#, fuzzy" not in po, "a translation is marked fuzzy"
    found: dict[str, list[str]] = {}
    for block in po.split("\n\n"):
        parts: dict[str, str] = {}
        key = ""
        for line in block.splitlines():
            match = re.match(r'(msgid_plural|msgid|msgstr(?:\[\d\])?) (".*")$', line)
            if match:
                key = match[1]
                parts[key] = ast.literal_eval(match[2])
            elif line.startswith('"'):
                parts[key] += ast.literal_eval(line)
        if "msgid" in parts:
            identity = parts["msgid"] + (f"\0{parts['msgid_plural']}" if "msgid_plural" in parts else "")
            assert identity not in found, f"{identity!r} is translated twice"
            found[identity] = [text for name, text in sorted(parts.items()) if name.startswith("msgstr")]
    return found


def compiled(po: str) -> bytes:
    """The catalog as gettext reads it: a header, two tables of lengths and offsets, the texts."""
    pairs = sorted((key.encode(), "\0".join(texts).encode()) for key, texts in entries(po).items())
    start = 28 + 16 * len(pairs)
    body, table = b"", {0: b"", 1: b""}
    for side in (0, 1):
        for pair in pairs:
            table[side] += struct.pack("<II", len(pair[side]), start + len(body))
            body += pair[side] + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, 0)
    return head + table[0] + table[1] + body


if __name__ == "__main__":
    MO.write_bytes(compiled(PO.read_text("utf-8")))
