"""The rules of the house as functions over files; test_tidy.py holds them, and shows that each can fail."""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = "aftersale"
LINES_MAX, FUNCTION_LINES_MAX, FOLDER_FILES_MAX, README_LINES_MAX = 400, 50, 12, 150

Sources = Mapping[str, str]
"""Text of files by path from the root of the repository."""

# Who may import whom. What is not named here (cli, bench, demo, work, __main__) puts the parts together.
BELOW: Mapping[str, frozenset[str]] = {
    "core": frozenset(),
    "pg": frozenset(),
    "clock": frozenset(),
    "config": frozenset({"pg", "api"}),
    "rulebooks": frozenset({"core"}),
    "ask": frozenset({"core", "rulebooks"}),
    "sandbox": frozenset({"core"}),
    "connectors": frozenset({"core", "rulebooks"}),
    "cases": frozenset({"core", "pg"}),
    "rights": frozenset({"core", "pg", "cases", "rulebooks"}),
    "jobs": frozenset({"core", "pg"}),
    "intake": frozenset({"core", "pg", "cases", "connectors", "jobs"}),
    "refusing": frozenset({"core", "pg", "cases", "connectors", "rulebooks"}),
    "api": frozenset({"core", "pg", "cases", "rights", "rulebooks", "ask", "refusing"}),
    "publishing": frozenset({"core", "pg", "cases", "rulebooks"}),
    "decide": frozenset({"core", "pg", "cases", "rulebooks"}),
    "act": frozenset({"core", "pg", "cases", "connectors", "rulebooks"}),  # the breaker reads its book
    "people": frozenset(
        {"cases", "core", "health", "jobs", "pg", "publishing", "refusing", "rights", "rulebooks"}
    ),
    "limits": frozenset({"core", "pg", "rulebooks"}),
    "instance": frozenset({"pg", "cases"}),
    "health": frozenset({"core", "pg", "cases", "instance"}),
    "metrics": frozenset({"core", "pg", "cases", "rights", "rulebooks"}),
    "plan": frozenset({"core", "pg", "cases", "rulebooks", "jobs"}),
}
COMPOSE = {"cli", "bench", "demo", "work", "__main__"}
CORE_NEVER_IMPORTS = {
    "django", "duckdb", "httpx2", "io", "os", "pathlib", "psycopg", "secrets", "socket", "subprocess", "threading",
    "time", "urllib", "uuid",
}  # fmt: skip
CORE_NEVER_CALLS = {
    "datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.monotonic", "open", "input",
    "random.random", "random.choice",
}  # fmt: skip
BAD_NAMES = {"utils", "util", "helpers", "helper", "manager", "service", "services", "common", "v2"}

# Which folder may write which table; whatever else is in the record is written in cases/ alone.
OWN_TABLES: Mapping[str, frozenset[str]] = {
    "intake": frozenset({"arrival", "arrival_todo", "to_fetch", "pull_cursor", "refuse_reasons"}),
    "decide": frozenset({"touched", "verdict", "book_version", "look", "draft", "draft_verdict", "shadow"}),
    "publishing": frozenset(
        {"book_check", "book_edit", "book_approval", "book_release", "book_live", "book_version", "draft"}
    ),
    "act": frozenset({"intent"}),
    "connectors": frozenset({"call_pace"}),
    "limits": frozenset({"setting_default", "books_published"}),
    "instance": frozenset({"instance"}),
    "health": frozenset({"worker"}),
    "people": frozenset(
        {
            "bulk",
            "bulk_case",
            "saved_view",
            "membership",
            "temporary_right",
            "invitation",
            "step_reset",
            "upload",
            "column_mapping",
        }
    ),
    "jobs": frozenset({"job", "job_file", "procrastinate_jobs"}),
    "api": frozenset({"api_token"}),
    "clock": frozenset({"clock"}),
    "demo": frozenset({"shop", "pull_cursor"}),
}
WRITE = re.compile(
    r"(?<!FOR )\b(?:INSERT INTO|UPDATE|DELETE FROM|TRUNCATE(?: TABLE)?)\s+(?!SET\b)([a-z_]+)\b"
)


def tracked() -> list[str]:
    """Paths of the repository's own files: committed, and new ones that are not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted(path for path in set(listed.stdout.splitlines()) if (ROOT / path).is_file())


def sources(*endings: str, under: str = "") -> dict[str, str]:
    """Our own text files; vendored ones are somebody else's style."""
    found = (
        p for p in tracked() if p.endswith(endings) and p.startswith(under) and "/static/vendor/" not in p
    )
    return {path: (ROOT / path).read_text("utf-8") for path in found}


def part(path: str) -> str:
    """`aftersale/intake/door.py` → intake, `aftersale/work.py` → work."""
    names = path.split("/")
    return names[1].removesuffix(".py") if len(names) > 1 else ""


def imported(path: str, text: str) -> Iterator[str]:
    """Full names of what a module imports, wherever in it."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = path.split("/")[: -node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def wrong_imports(files: Sources) -> list[str]:
    """Imports against the direction core ← cases ← stages, and parts that the table does not know."""
    faults = []
    for path, text in files.items():
        mine = part(path)
        if mine in COMPOSE or path.endswith("/__main__.py") or mine == "__init__":
            continue
        if mine not in BELOW:
            faults.append(f"{path}: say in BELOW what {mine} may import")
            continue
        for name in imported(path, text):
            target = [*name.split("."), ""][1] if name.startswith(f"{PACKAGE}.") else mine
            if target not in BELOW[mine] | {mine}:
                faults.append(f"{path}: {mine} must not import {name}")
    return faults


def impure(files: Sources) -> list[str]:
    """I/O, clocks and chance in core."""
    faults = []
    for path, text in files.items():
        for name in imported(path, text):
            if name.split(".")[0] in CORE_NEVER_IMPORTS:
                faults.append(f"{path}: core must not import {name}")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in CORE_NEVER_CALLS:
                faults.append(f"{path}:{node.lineno}: core must not call {ast.unparse(node.func)}")
    return faults


def too_long(files: Sources) -> list[str]:
    """Modules and functions above the caps."""
    faults = []
    for path, text in files.items():
        lines = text.count("\n")
        if lines > LINES_MAX:
            faults.append(f"{path}: {lines} lines, at most {LINES_MAX}")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > FUNCTION_LINES_MAX:
                    faults.append(f"{path}: {node.name} has {length} lines, at most {FUNCTION_LINES_MAX}")
    return faults


def too_full(paths: Sequence[str]) -> list[str]:
    """Folders with more Python files than one can oversee."""
    counts: dict[str, int] = {}
    for path in paths:
        folder = path.rpartition("/")[0]
        if folder.endswith("/migrations"):
            continue  # a history only grows
        counts[folder] = counts.get(folder, 0) + 1
    return [f"{f}: {n} files, at most {FOLDER_FILES_MAX}" for f, n in counts.items() if n > FOLDER_FILES_MAX]


def empty_names(paths: Sequence[str]) -> list[str]:
    """Names that say nothing."""
    return [p for p in paths if BAD_NAMES & {name.removesuffix(".py") for name in p.split("/")}]


def prints(files: Sources) -> list[str]:
    """`print` outside the commands."""
    return [
        f"{path}:{node.lineno}"
        for path, text in files.items()
        if part(path) != "cli"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "print"
    ]


def foreign_writes(files: Sources) -> list[str]:
    """SQL that writes a table which another part owns. Only cases/ writes the record."""
    faults = []
    for path, text in files.items():
        mine = part(path)
        if mine in {"cases", "sandbox", "bench"}:
            continue
        for statement in [text] if path.endswith(".sql") else _strings(text):
            faults += [
                f"{path}: {mine} must not write {table}"
                for table in WRITE.findall(statement)
                if table not in OWN_TABLES.get(mine, frozenset())
            ]
    return faults


def _strings(text: str) -> list[str]:
    tree = ast.parse(text)
    return [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)]


def unused_blocks(sql: Sources, python: Sources) -> list[str]:
    """`-- name:` blocks that no module names. Whoever walks over a whole file uses all of it."""
    faults = []
    for path, text in sql.items():
        names = re.findall(r"^-- name: (\w+)$", text, re.MULTILINE)
        folder, _, file = path.rpartition("/")
        near = {p: t for p, t in python.items() if p.startswith(f"{folder}/")}
        loader = re.compile(
            rf'^(\w+) = queries\("{folder.replace("/", ".")}"(?:, "([^"]+)")?\)', re.MULTILINE
        )
        used: set[str] = set()
        for module in near.values():
            used |= set(_strings(module))
            for variable, loaded in loader.findall(module):
                if (loaded or "queries.sql") == file and re.search(
                    rf"\b{variable}\.(items|values)\(", module
                ):
                    used |= set(names)
        faults += [f"{path}: nothing uses {name}" for name in names if name not in used]
    return faults


def missing_blocks(sql: Sources, python: Sources) -> list[str]:
    """`_SQL["name"]` for which the file has no such block."""
    faults = []
    pattern = re.compile(r'^(\w+) = queries\("([\w.]+)"(?:, "([^"]+)")?\)', re.MULTILINE)
    for path, text in python.items():
        for variable, package, file in pattern.findall(text):
            known = sql.get(f"{package.replace('.', '/')}/{file or 'queries.sql'}", "")
            for name in re.findall(rf'\b{variable}\["(\w+)"\]', text):
                if not re.search(rf"^-- name: {name}$", known, re.MULTILINE):
                    faults.append(f"{path}: {package}/{file or 'queries.sql'} has no block {name}")
    return faults


def unexplained(pyproject: str) -> list[str]:
    """Dependencies without a reason behind a `#`."""
    listed = tomllib.loads(pyproject)
    wanted = [*listed["project"]["dependencies"], *listed["dependency-groups"]["dev"]]
    lines = pyproject.splitlines()
    reason = re.compile(r"#\s*\S+\s+\S+")
    return [
        one
        for one in wanted
        if not any(line.strip().startswith(f'"{one}"') and reason.search(line) for line in lines)
    ]


MODULES = {
    "django-allauth": "allauth",
    "django-axes": "axes",
    "django-ninja": "ninja",
    "pillow": "PIL",
    "pyyaml": "yaml",
    "python-calamine": "python_calamine",
    "python-multipart": "python_multipart",
}
"""Modules whose name is not their distribution's."""


def unused_dependencies(pyproject: str, files: Sources) -> list[str]:
    """What the product requires and no module imports."""
    names = [re.split(r"[\[<>=; ]", one)[0] for one in tomllib.loads(pyproject)["project"]["dependencies"]]
    roots = {name.split(".")[0] for path, text in files.items() for name in imported(path, text)}
    text = "\n".join(files.values())
    return [
        name
        for name in names
        if (module := MODULES.get(name, name.replace("-", "_"))) not in roots and f'"{module}' not in text
    ]


def machine_paths(files: Sources) -> list[str]:
    """Absolute paths of somebody's machine."""
    places = "|".join(["root", "work", "tmp", "home/[a-z]", "Users/[A-Za-z]"])
    pattern = re.compile(rf"(?<![\w.}}/`*:)>-])/(?:{places})(?![\w-])")
    return [
        f"{path}:{no}: {line.strip()[:80]}"
        for path, text in files.items()
        for no, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def broken_links(files: Sources) -> list[str]:
    """Links in documents to files that are not there."""
    faults = []
    for path, text in files.items():
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
            if not re.match(r"[a-z]+:", target) and not (ROOT / path).parent.joinpath(target).exists():
                faults.append(f"{path}: {target}")
    return faults
