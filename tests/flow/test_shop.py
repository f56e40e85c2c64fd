"""A shop and its people from the command line, up to the first imported file."""

import json
import subprocess
import sys
from datetime import timedelta

from aftersale.pg.connect import SETTINGS, opened
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


def test_a_person_has_rights_of_their_own(embedded_database: Database) -> None:
    aftersale(embedded_database, "shop", "add", "ming", "--name", "小明的店", "--platform", "tmall")
    staff = ("shop", "staff", "--shop", "ming", "--password", "zhiyuan-xiaoli-1")
    helper = ("支援小李", "--role", "helper", "--job", "refunds", "--until", "2026-11-13")
    for line in (helper, ("客服小明", "--limit", "50.5"), ("新人小赵", "--no-refunds")):
        done = aftersale(embedded_database, *staff, *line)
        assert (done.returncode, done.stderr) == (0, "")
    for line in (
        ("客服小明", "--limit", "much"),
        ("支援小李", "--role", "helper"),
        ("客服小明", "--job", "refunds"),
    ):
        odd = aftersale(embedded_database, *staff, *line)
        assert (odd.returncode, odd.stderr.count("\n")) == (2, 1)
    with opened(embedded_database.app, settings=SETTINGS) as conn:
        rows = conn.execute(
            "SELECT role, refund_right, max_amount_fen, helper_job, access_ends_at::text FROM membership"
            " ORDER BY user_id"
        ).fetchall()
    assert [row[:4] for row in rows] == [
        ("helper", True, None, "refunds"), ("agent", True, 5_050, None), ("agent", False, None, None),
    ]  # fmt: skip
    assert rows[0][4] == "2026-11-12 16:00:00+00"


def test_a_token_is_made_and_ended_on_the_server(embedded_database: Database) -> None:
    aftersale(embedded_database, "shop", "add", "ming", "--name", "小明的店", "--platform", "tmall")
    staff = ("shop", "staff", "--shop", "ming", "--password", "dianzhu-laotong-1")
    aftersale(embedded_database, *staff, "店主老童", "--role", "owner")
    aftersale(embedded_database, *staff, "客服小明")
    token = ("shop", "token")
    made = aftersale(embedded_database, *token, "店主老童", "--name", "erp", "--acts", "--days", "never")
    assert (made.returncode, made.stdout.startswith("aftersale_"), made.stderr) == (0, True, "")
    endless = aftersale(embedded_database, *token, "客服小明", "--name", "erp", "--days", "never")
    assert (endless.returncode, endless.stdout, "只有店主" in endless.stderr) == (1, "", True)
    assert aftersale(embedded_database, *token, "客服小明", "--name", "日报").returncode == 0
    assert aftersale(embedded_database, *token, "客服小明", "--name", "日报", "--revoke").returncode == 0
    with opened(embedded_database.app, settings=SETTINGS) as conn:
        rows = conn.execute(
            "SELECT name, acts, ends_at - made_at, revoked_at IS NULL FROM api_token ORDER BY user_id"
        ).fetchall()
        told = conn.execute("SELECT what, target, who LIKE 'server:_%' FROM audit ORDER BY id").fetchall()
    assert rows == [("erp", True, None, True), ("日报", False, timedelta(days=90), False)]
    assert told == [
        ("token", "店主老童 · erp", True), ("token", "客服小明 · 日报", True), ("token_end", "客服小明 · 日报", True),
    ]  # fmt: skip


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


def test_a_setting_is_set_logged_and_taken_back(embedded_database: Database) -> None:
    first = ("shop", "add", "ming", "--name", "小明的店", "--platform", "tmall")
    assert aftersale(embedded_database, *first).returncode == 0
    done = aftersale(
        embedded_database, "shop", "set", "ming", "small_amount_max=15", "auto_agree_return=false"
    )
    assert json.loads(done.stdout) == {"small_amount_max": 1500, "auto_agree_return": False}
    assert "0 张未结的售后单会按新的设置重新判断" in done.stderr
    taken = aftersale(embedded_database, "shop", "set", "ming", "--unset", "auto_agree_return")
    assert json.loads(taken.stdout) == {"small_amount_max": 1500}
    with opened(embedded_database.app, settings=SETTINGS) as conn:
        log = conn.execute("SELECT name, before, after FROM setting_log ORDER BY id").fetchall()
    assert log == [
        ("small_amount_max", None, 1500),
        ("auto_agree_return", None, False),
        ("auto_agree_return", False, None),
    ]


def test_a_setting_that_cannot_be_says_why_and_nothing_changes(embedded_database: Database) -> None:
    first = ("shop", "add", "ming", "--name", "小明的店", "--platform", "tmall")
    assert aftersale(embedded_database, *first).returncode == 0
    for words, why in (
        (("small_amount_maks=15",), "最近的是 small_amount_max"),
        (("small_amount_max=fifteen",), "'fifteen' 不是以元计的金额"),
        (("small_amount_max=-1",), "小于允许的最小值"),
        (("small_amount_max=15", "no_update_hours=2.5"), "'2.5' 不是这个设置的值"),
        (("--unset", "nothing"), "没有名为 nothing 的设置"),
    ):
        found = aftersale(embedded_database, "shop", "set", "ming", *words)
        assert (found.returncode, found.stderr.count("\n"), why in found.stderr) == (2, 1, True), found.stderr
    assert aftersale(embedded_database, "shop", "set", "tea", "small_amount_max=1").returncode == 1
    assert aftersale(embedded_database, "shop", "set", "ming").stdout == "{}\n"
