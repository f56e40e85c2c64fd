"""A migration behind a long reader: nobody else waits for long, and it gets its turn in the end (F42, F43)."""

import subprocess
import sys
import time

import psycopg

from tests.conftest import Database

BACK = """
import django, sys
django.setup()
from django.core.management import call_command
call_command("migrate", "cases", "0009", verbosity=0)
"""


def run(database: Database, *asked: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, *asked], env=environment(database), stderr=subprocess.PIPE, text=True
    )


def environment(database: Database) -> dict[str, str]:
    return {
        **database.environment(), "AFTERSALE_ROLE": "owner", "DJANGO_SETTINGS_MODULE": "aftersale.config.settings",
    }  # fmt: skip


def one_step_back(database: Database) -> None:
    done = run(database, "-c", BACK)
    assert done.wait(60) == 0, done.stderr and done.stderr.read()


def columns(conn: psycopg.Connection) -> int:
    query = "SELECT count(*) FROM information_schema.columns WHERE table_name = 'worker' AND column_name = 'stage'"
    row = conn.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def test_behind_a_long_reader(embedded_database: Database) -> None:
    one_step_back(embedded_database)
    longest_s, tries = 0.0, 0
    with (
        psycopg.connect(embedded_database.app) as reader,
        psycopg.connect(embedded_database.app, autocommit=True) as others,
    ):
        reader.execute("SELECT 1 FROM worker")  # and stays open
        migrating = run(embedded_database, "-m", "aftersale", "migrate")
        ends = time.monotonic() + 12.0
        while time.monotonic() < ends:
            began = time.monotonic()
            others.execute("SELECT count(*) FROM worker")
            longest_s, tries = max(longest_s, time.monotonic() - began), tries + 1
            time.sleep(0.05)
        assert migrating.poll() is None
        assert columns(others) == 0
        reader.rollback()
        assert migrating.wait(60) == 0
        assert columns(others) == 1
    assert migrating.stderr is not None
    assert "trying again" in migrating.stderr.read()
    assert 0.2 < longest_s < 5.0, "others did wait behind it, but not for long"


def test_it_gives_up_with_one_line_and_can_be_run_again(embedded_database: Database) -> None:
    one_step_back(embedded_database)
    with psycopg.connect(embedded_database.app) as reader:
        reader.execute("SELECT 1 FROM worker")
        migrating = run(embedded_database, "-m", "aftersale", "migrate", "--wait-s", "1")
        assert migrating.wait(60) == 1
        assert migrating.stderr is not None
        told = migrating.stderr.read().strip().splitlines()
    assert told[-1].startswith("others held a table for 1 s")
    assert not any("Traceback" in line for line in told)
    for _ in range(2):
        assert run(embedded_database, "-m", "aftersale", "migrate").wait(60) == 0
