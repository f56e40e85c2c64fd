"""Named SQL, and the configuration's sizes."""

from pathlib import Path

import pytest

from aftersale.pg import conf
from aftersale.pg.sql import queries


def package(folder: Path, name: str, text: str, monkeypatch: pytest.MonkeyPatch) -> str:
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text("")
    (folder / name / "queries.sql").write_text(text, "utf-8")
    monkeypatch.syspath_prepend(str(folder))
    return name


def test_blocks_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "-- 售后单\n\n-- name: first\nselect 1\n-- why not\nwhere true\n\n-- name: second\n\nselect 2\n"
    found = queries(package(tmp_path, "two_blocks", text, monkeypatch))
    assert dict(found) == {"first": "select 1\n-- why not\nwhere true", "second": "select 2"}
    with pytest.raises(TypeError):
        found["first"] = "select 3"  # type: ignore[index]


@pytest.mark.parametrize(
    ("name", "text"),
    [("no_block", "select 1\n"), ("twice", "-- name: a\nselect 1\n-- name: a\nselect 2\n")],
)
def test_broken_files(name: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AssertionError, match=name):
        queries(package(tmp_path, name, text, monkeypatch))


SIZES = """
memory_mb  buffers
256        128MB
1024       256MB
4096       1024MB
8192       2048MB
65536      16384MB
131072     16384MB
"""


@pytest.mark.parametrize("line", SIZES.strip().splitlines()[1:])
def test_shared_buffers_follow_memory(line: str) -> None:
    memory_mb, buffers = line.split()
    assert f"shared_buffers = {buffers}\n" in conf.text(5432, int(memory_mb))


def test_memory_of_a_container_is_its_limit(tmp_path: Path) -> None:
    limit = tmp_path / "memory.max"
    limit.write_text("1073741824\n")
    assert conf.memory_mb(limit) == 1024
    limit.write_text("max\n")
    assert conf.memory_mb(limit) == conf.memory_mb(tmp_path / "absent")
