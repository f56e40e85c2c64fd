"""A shop and its people from the command line, up to the first imported file."""

import json
import subprocess
import sys

from tests.conftest import Database


def aftersale(database: Database, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "aftersale", *arguments]
    return subprocess.run(
        line, env=database.environment(), capture_output=True, text=True, input=given, check=False
    )


def test_a_shop_is_added_staffed_and_listed(embedded_database: Database) -> None:
    added = aftersale(embedded_database, "shop", "add", "ming", "--name", "小明的店", "--platform", "tmall")
    assert (added.returncode, added.stderr) == (0, "")
    staffed = aftersale(
        embedded_database, "shop", "staff", "主管阿兰", "--shop", "ming", "--role", "lead",
        "--password", "zhuguan-alan-1",
    )  # fmt: skip
    assert (staffed.returncode, staffed.stderr) == (0, "")
    listed = aftersale(embedded_database, "shop", "list", "--json")
    assert json.loads(listed.stdout) == [
        {"code": "ming", "name": "小明的店", "platform": "tmall", "connected": False, "cases": 0}
    ]


def test_what_cannot_be_ends_in_one_line(embedded_database: Database) -> None:
    first = ("shop", "add", "ming", "--name", "小明的店", "--platform", "tmall")
    assert aftersale(embedded_database, *first).returncode == 0
    again = aftersale(embedded_database, *first)
    assert (again.returncode, again.stderr.count("\n")) == (1, 1)
    assert "已经有了" in again.stderr
    odd = aftersale(embedded_database, "shop", "add", "小 明", "--name", "x", "--platform", "tmall")
    assert (odd.returncode, odd.stderr.count("\n")) == (1, 1)
    bare = aftersale(embedded_database, *first[:2], "lan", *first[3:], "--base-url", "https://relay.example")
    assert (bare.returncode, bare.stderr.count("\n")) == (2, 1)
    stranger = aftersale(
        embedded_database, "shop", "staff", "老吴", "--shop", "none", "--password", "wairen-laowu-1"
    )
    assert (stranger.returncode, stranger.stderr.count("\n")) == (1, 1)
