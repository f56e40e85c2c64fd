"""The commands of whoever keeps it running: one clear line, and an exit code that a script can use."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from aftersale.cli import main
from aftersale.health.pulse import Sign, beat
from aftersale.pg.connect import opened
from tests.conftest import Database


def run(*asked: str, **environment: str) -> Result:
    return CliRunner().invoke(main, asked, env=environment)


@pytest.fixture
def here(embedded_database: Database, tmp_path: Path) -> dict[str, str]:
    return {"DATABASE_URL": embedded_database.app, "AFTERSALE_HOME": str(tmp_path)}


def test_doctor(here: dict[str, str], embedded_database: Database) -> None:
    sick = run("doctor", **here)
    assert sick.exit_code == 1
    assert sick.output.startswith(
        "✗ no_worker\n    没有工作进程在运行：不判断、不退款、不拉取 → 启动 aftersale work\n    no worker is alive"
    )
    with opened(embedded_database.app) as conn:
        beat(conn, [Sign("decide"), Sign("act"), Sign("pull")])
    well = run("doctor", "--json", **here)
    assert (well.exit_code, [one["code"] for one in json.loads(well.output)]) == (0, ["no_backup"])


def test_doctor_without_a_database(tmp_path: Path) -> None:
    away = run("doctor", DATABASE_URL="postgresql://x@127.0.0.1:1/x", AFTERSALE_HOME=str(tmp_path))
    assert away.exit_code == 1
    assert away.output.startswith("✗ database_away")


def test_instance(here: dict[str, str], embedded_database: Database) -> None:
    assert "正常发送" in run("instance", "state", **here).output
    assert "没有等待认可的副本" in run("instance", "accept", **here).output
    with opened(embedded_database.app) as conn:
        conn.execute("UPDATE instance SET fingerprint = 'another'")
    told = json.loads(run("instance", "state", "--json", **here).output)
    assert told == {"asking_since": None, "why": None, "copy": True}
    assert "已认可" in run("instance", "accept", **here).output
    told = json.loads(run("instance", "state", "--json", **here).output)
    assert (told["copy"], told["why"]) == (False, "这个副本已被认可：先向平台核对，再发送")


def test_backup_and_restore_refuse_in_one_line(here: dict[str, str], tmp_path: Path) -> None:
    own = run("backup", str(tmp_path / "b"), **here)
    assert (own.exit_code, own.output.count("\n")) == (2, 1)
    assert "docs/postgresql.md" in own.output
    no_zone = run("restore", str(tmp_path), "--home", str(tmp_path / "n"), "--at", "2026-11-11T09:00:00")
    assert (no_zone.exit_code, "时区" in no_zone.output) == (2, True)
    no_time = run("restore", str(tmp_path), "--home", str(tmp_path / "n"), "--at", "noon")
    assert no_time.exit_code == 2
    nothing = run("restore", str(tmp_path), "--home", str(tmp_path / "n"))
    assert (nothing.exit_code, "holds no backup" in nothing.output) == (1, True)
    assert not (tmp_path / "n" / "postgres").exists()
    empty = {**os.environ, "AFTERSALE_HOME": str(tmp_path / "e"), "DATABASE_URL": ""}
    assert run("backup", str(tmp_path / "b"), **empty).exit_code == 2
