"""What STYLE.md and ARCHITECTURE.md promise and a machine can see. A check returns faults; none is the only pass."""

import ast
import hashlib
import re
import subprocess
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from aftersale.cli import COMMANDS, main
from aftersale.config.env import VARIABLES
from aftersale.rulebooks import books

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
    "config": frozenset({"pg"}),
    "rulebooks": frozenset({"core"}),
    "sandbox": frozenset({"core"}),
    "connectors": frozenset({"core"}),
    "cases": frozenset({"core", "pg"}),
    "intake": frozenset({"core", "pg", "cases", "connectors"}),
    "decide": frozenset({"core", "pg", "cases", "rulebooks"}),
    "act": frozenset({"core", "pg", "cases", "connectors"}),
    "people": frozenset({"core", "pg", "cases", "rulebooks"}),
    "metrics": frozenset({"core", "pg", "cases", "rulebooks"}),
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
    "intake": frozenset({"arrival", "arrival_todo", "to_fetch", "pull_cursor"}),
    "decide": frozenset({"touched", "verdict", "book_version", "look"}),
    "act": frozenset({"intent"}),
    "connectors": frozenset({"call_pace"}),
    "people": frozenset({"membership"}),
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


MODULES = {"pyyaml": "yaml", "python-calamine": "python_calamine", "python-multipart": "python_multipart"}
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


PYTHON = sources(".py", under=f"{PACKAGE}/")
SQL = sources(".sql", under=f"{PACKAGE}/")
DOCUMENTS = sources(".md")


def test_imports_run_in_one_direction() -> None:
    assert wrong_imports(PYTHON) == []


def test_an_import_against_the_direction_is_seen() -> None:
    files = {
        "aftersale/core/money.py": "def f():\n    from aftersale.cases import actions\n",
        "aftersale/decide/run.py": "import aftersale.act.run\nfrom aftersale.cases import actions\n",
        "aftersale/people/queue.py": "from aftersale import intake\n",
        "aftersale/newcomer/run.py": "",
        "aftersale/cli/work.py": "from aftersale.act.run import Actor\n",
    }
    assert wrong_imports(files) == [
        "aftersale/core/money.py: core must not import aftersale.cases.actions",
        "aftersale/decide/run.py: decide must not import aftersale.act.run",
        "aftersale/people/queue.py: people must not import aftersale.intake",
        "aftersale/newcomer/run.py: say in BELOW what newcomer may import",
    ]


def test_core_is_pure() -> None:
    assert impure({path: text for path, text in PYTHON.items() if part(path) == "core"}) == []


def test_a_clock_in_core_is_seen() -> None:
    text = "from pathlib import Path\nfrom datetime import datetime\nat = datetime.now()\n"
    assert impure({"aftersale/core/look.py": text}) == [
        "aftersale/core/look.py: core must not import pathlib.Path",
        "aftersale/core/look.py:3: core must not call datetime.now",
    ]


def test_files_and_functions_are_short() -> None:
    assert too_long(PYTHON) == []


def test_a_long_function_is_seen() -> None:
    text = "def short():\n    pass\n\n\ndef long():\n" + "    pass\n" * 50
    assert too_long({"aftersale/act/run.py": text}) == ["aftersale/act/run.py: long has 51 lines, at most 50"]
    assert too_long({"a.py": "x = 1\n" * 401}) == ["a.py: 401 lines, at most 400"]


def test_folders_are_small() -> None:
    assert too_full(list(PYTHON)) == []
    assert too_full([f"aftersale/act/{n}.py" for n in range(13)]) == ["aftersale/act: 13 files, at most 12"]


def test_names_say_something() -> None:
    assert empty_names([*PYTHON, *SQL]) == []
    assert empty_names(["aftersale/act/utils.py"]) == ["aftersale/act/utils.py"]


def test_only_commands_print() -> None:
    assert prints(PYTHON) == []
    assert prints({"aftersale/act/run.py": "print('done')\n"}) == ["aftersale/act/run.py:1"]


def test_everyone_writes_only_their_own_tables() -> None:
    assert foreign_writes({**PYTHON, **SQL}) == []


def test_a_write_past_the_one_writer_is_seen() -> None:
    files = {
        "aftersale/people/case.py": 'conn.execute("UPDATE cases SET state = %s")\n',
        "aftersale/act/queries.sql": "SELECT 1 FOR UPDATE SKIP LOCKED;\nDELETE FROM ledger;\nUPDATE intent SET x = 1",
        "aftersale/cases/merge.sql": "INSERT INTO cases VALUES (1)",
    }
    assert foreign_writes(files) == [
        "aftersale/people/case.py: people must not write cases",
        "aftersale/act/queries.sql: act must not write ledger",
    ]


def test_every_sql_block_is_used_and_there() -> None:
    assert unused_blocks(SQL, PYTHON) == []
    assert missing_blocks(SQL, PYTHON) == []


def test_a_forgotten_sql_block_is_seen() -> None:
    sql = {"aftersale/act/queries.sql": "-- name: claim\nSELECT 1\n\n-- name: old\nSELECT 2\n"}
    python = {
        "aftersale/act/run.py": '_SQL = queries("aftersale.act", "queries.sql")\n_SQL["claim"]; _SQL["new"]'
    }
    assert unused_blocks(sql, python) == ["aftersale/act/queries.sql: nothing uses old"]
    assert missing_blocks(sql, python) == ["aftersale/act/run.py: aftersale.act/queries.sql has no block new"]


def test_every_dependency_has_a_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    assert unexplained(text) == []
    bare = (
        '[project]\ndependencies = [\n "a>=1",\n "b", # reads old sheets\n]\n[dependency-groups]\ndev = []\n'
    )
    assert unexplained(bare) == ["a>=1"]


def test_every_dependency_is_of_use() -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    assert unused_dependencies(text, PYTHON) == []
    assert unused_dependencies('[project]\ndependencies = ["a-b>=1", "c"]\n', {"x.py": "import a_b\n"}) == [
        "c"
    ]


@pytest.mark.parametrize("variable", sorted(VARIABLES.values()))
def test_every_setting_is_documented(variable: str) -> None:
    assert f"`{variable}`" in (ROOT / "docs/settings.md").read_text("utf-8")


def test_every_rulebook_setting_is_documented() -> None:
    text = (ROOT / "docs/rulebook.md").read_text("utf-8")
    book = books.book("refund")
    assert book.settings
    assert [name for name in book.settings if f"`:{name}`" not in text] == []


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_is_documented(command: str) -> None:
    """A document tells of it, and its own help shows an example."""
    assert any(f"aftersale {command}" in text for path, text in DOCUMENTS.items() if path != "CHANGELOG.md")
    shown = CliRunner().invoke(main, [command, "--help"])
    assert shown.exit_code == 0
    assert f"aftersale {command}" in shown.output.partition("\n\n")[2], "no example"


def test_links_lead_somewhere() -> None:
    assert broken_links(DOCUMENTS) == []
    assert broken_links({"README.md": "[x](docs/none.md) [y](https://example.org)"}) == [
        "README.md: docs/none.md"
    ]


def test_the_readme_is_read_in_one_go() -> None:
    for name in ("README.md", "README.zh-CN.md"):
        assert DOCUMENTS[name].count("\n") <= README_LINES_MAX


def test_no_file_knows_a_machine() -> None:
    written = sources(
        ".py",
        ".sql",
        ".md",
        ".yaml",
        ".toml",
        ".txt",
        ".html",
        ".js",
        ".css",
        "Makefile",
        ".ci/run",
        ".ci/machine",
    )
    assert written
    assert machine_paths(written) == []
    place = "/".join(["", "root", "x"])
    assert machine_paths({"a.md": f"see {place}"}) == [f"a.md:1: see {place}"]


def test_no_borrowed_data() -> None:
    """No file of the material beside the repository is in it, neither whole nor by its lines."""
    beside = ROOT.parent / "shared" / "data"
    if not beside.is_dir():
        pytest.skip("the material beside the repository is not here")
    lent = [path for path in beside.rglob("*") if path.is_file()]
    whole = {hashlib.sha256(path.read_bytes()).digest() for path in lent}
    lines = {line for path in lent for line in path.read_bytes().splitlines() if len(line) >= 40}
    assert lines
    faults = []
    for path in tracked():
        raw = (ROOT / path).read_bytes()
        if raw and hashlib.sha256(raw).digest() in whole:
            faults.append(path)
        faults += [f"{path}: {line[:60]!r}" for line in raw.splitlines() if line in lines]
    assert faults == []
