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


GROUPS = """
where                                  line                                 memory_mb
memory.max                             0::/                                 1024
system.slice/memory.max                0::/system.slice/aftersale.service   1024
memory/memory.limit_in_bytes           4:memory:/docker/4f1c                1024
memory/docker/memory.limit_in_bytes    11:cpu,memory:/docker/4f1c           1024
cpu/memory.max                         3:cpu:/                              machine
elsewhere/memory.max                   0::/system.slice/aftersale.service   machine
"""


@pytest.mark.parametrize("row", GROUPS.strip().splitlines()[1:])
def test_memory_is_what_the_control_groups_leave(row: str, tmp_path: Path) -> None:
    where, line, expected = row.split()
    machine = conf.memory_mb(tmp_path / "absent")
    for name, limit in (("memory.max", "max"), (where, str(1 << 30))):
        (tmp_path / "groups" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "groups" / name).write_text(f"{limit}\n")
    (tmp_path / "mine").write_text(f"1:name=systemd:/\n{line}\n")
    found = conf.memory_mb(tmp_path / "mine", tmp_path / "groups")
    assert found == (machine if expected == "machine" else int(expected))
