"""What STYLE.md and ARCHITECTURE.md promise and a machine can see. A check returns faults; none is the only pass."""

import hashlib

import pytest
from click.testing import CliRunner

from aftersale.cli import COMMANDS, main
from aftersale.config.env import VARIABLES
from aftersale.rulebooks import books
from tests.tidy import (
    PACKAGE,
    README_LINES_MAX,
    ROOT,
    broken_links,
    empty_names,
    foreign_writes,
    impure,
    machine_paths,
    missing_blocks,
    part,
    prints,
    sources,
    too_full,
    too_long,
    tracked,
    unexplained,
    unused_blocks,
    unused_dependencies,
    wrong_imports,
)

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


@pytest.mark.parametrize("name", books.shipped())
def test_every_rulebook_setting_is_documented(name: str) -> None:
    for language in ("zh", "en"):
        text = (ROOT / f"docs/rulebook/{language}/{name}.md").read_text("utf-8")
        assert [one for one in books.book(name).settings if f"`:{one}`" not in text] == []


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
