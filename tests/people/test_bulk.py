"""One act on many cases: the preview binds what was seen, the job skips what another changed."""

import csv
import io
import re
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.test import Client

from aftersale.core.refusal import Refusal
from aftersale.jobs.running import Running
from aftersale.people.acts import said
from aftersale.people.bulk.run import run
from aftersale.pg.connect import SETTINGS, opened
from tests.conftest import Database
from tests.people.shops import case_id

SignIn = Callable[[str], Client]
SMALL = [case_id(1, 10), case_id(1, 26), case_id(1, 42)]  # shipped_refund_only, missing_item, ¥12.50 each


def asked(shops: Database, query: str, *values: object) -> list[tuple[Any, ...]]:
    with psycopg.connect(shops.owner) as conn:
        return conn.execute(query, values).fetchall()


def work(shops: Database, lock_timeout: str = "5s") -> None:
    """What a worker does with the jobs that wait."""
    settings = {**SETTINGS, "lock_timeout": lock_timeout}
    with opened(shops.app, settings=settings, autocommit=True) as conn:
        for job_id, by, given in asked(
            shops, "SELECT id, by_whom, asked FROM job WHERE state = 'waiting' ORDER BY id"
        ):
            running = Running(job_id, by, None, given, 1, conn, lambda: False)
            run(conn, running)


def preview(client: Client, **form: object) -> str:
    answer = client.post("/bulk", {"address": "?", **form})
    assert answer.status_code == 302
    return str(answer["Location"])


def figures(page: str) -> dict[str, str]:
    return {title: n for n, title in re.findall(r'bulk-figure"><b>([^<]+)</b><span>([^<]+)<', page)}


def causes(page: str) -> dict[str, tuple[int, set[str]]]:
    """Why cases are left out: how many, and those named."""
    told = re.findall(
        r'<div class="pair"><span>([^<]+)(( <a class="mono"[^>]*>[^<]+</a>[^<]*)+)</span><b[^>]*>(\d+)', page
    )
    return {cause.strip(): (int(n), set(re.findall(r">(\d+)<", names))) for cause, names, _last, n in told}


def confirm(client: Client, address: str) -> None:
    page = client.get(address).content.decode()
    cases, fen = re.findall(r'name="(?:cases|fen)" value="(\d+)"', page)
    assert client.post(f"{address}/go", {"cases": cases, "fen": fen}).status_code == 302


def test_the_preview_tells_what_will_happen_and_nothing_happens(sign_in: SignIn, shops: Database) -> None:
    client = sign_in("主管阿兰")
    address = preview(
        client, act="agree_refund", pick=[f"tea:{one}" for one in SMALL] + ["wu:261311000077", "tea:none"]
    )
    page = client.get(address).content.decode()
    assert figures(page) == {"选中": "3", "会执行": "3", "会跳过": "0", "金额合计": "¥37.50"}
    assert "同意退款 3 单，共 ¥37.50" in page
    assert asked(shops, "SELECT count(*) FROM intent WHERE channel = 'bulk'") == [(0,)]
    stranger = sign_in("外人老吴")
    assert stranger.get(address).status_code == 404
    assert stranger.post(f"{address}/go", {"cases": "3", "fen": "3750"}).status_code == 404
    assert asked(shops, "SELECT count(*) FROM job") == [(0,)]
    client.post(f"{address}/go", {"cases": "2", "fen": "3750"})
    assert asked(shops, "SELECT count(*) FROM job") == [(0,)]


def test_what_another_changed_meanwhile_is_skipped_and_the_sums_are_exact(
    sign_in: SignIn, shops: Database
) -> None:
    client = sign_in("主管阿兰")
    address = preview(client, act="agree_refund", pick=[f"tea:{one}" for one in SMALL])
    sign_in("客服小明").post(f"/case/tea/{SMALL[1]}/do/facts", {"fact": "goods_problem", "value": "True"})
    confirm(client, address)
    confirm_again = client.post(f"{address}/go", {"cases": "3", "fen": "3750"})
    assert confirm_again.status_code == 302
    assert asked(shops, "SELECT count(*) FROM job") == [(1,)]
    work(shops)
    page = client.get(address).content.decode()
    assert figures(page) == {"选中": "3", "完成": "2", "跳过": "1", "失败": "0"}
    assert "预览之后有人或平台改动了这张售后单，没有执行。" in page
    assert "客服小明" in page
    paid = "SELECT case_id, amount_fen, planned_by FROM intent WHERE channel = 'bulk' ORDER BY case_id"
    assert asked(shops, paid) == [(SMALL[0], 1250, "主管阿兰"), (SMALL[2], 1250, "主管阿兰")]
    [(body,)] = asked(shops, "SELECT body FROM job_file")
    rows = list(csv.DictReader(io.StringIO(bytes(body).decode("utf-8-sig"))))
    assert [(row["售后单"], row["结果"]) for row in rows] == [
        (SMALL[0], "完成"),
        (SMALL[1], "跳过"),
        (SMALL[2], "完成"),
    ]
    assert "撤回还没有发出的 2 单" in page
    client.post(f"{address}/undo")
    assert asked(shops, "SELECT state FROM intent WHERE channel = 'bulk'") == [("cancelled",), ("cancelled",)]


def test_what_the_platform_would_turn_away_is_skipped_in_the_preview_and_when_it_is_done(
    sign_in: SignIn, shops: Database
) -> None:
    client = sign_in("主管阿兰")
    fits, back, much = case_id(2, 26), [case_id(2, 2), case_id(2, 15)], case_id(2, 12)
    changes = case_id(2, 42)  # becomes an exchange after the preview, as if the book knew more by then
    address = preview(
        client, act="agree_refund", pick=[f"snack:{one}" for one in (fits, *back, much, changes)]
    )
    first = "这是退货申请，要先同意退货，买家寄回后才能退款。"
    limit = "超过子账号限额 ¥200.00，请逐单处理或用主账号退。"
    page = client.get(address).content.decode()
    assert figures(page) == {"选中": "5", "会执行": "2", "会跳过": "3", "金额合计": "¥25.00"}
    assert causes(page) == {first: (2, set(back)), limit: (1, {much})}
    confirm(client, address)
    with psycopg.connect(shops.owner) as conn:
        conn.execute(
            "UPDATE cases SET aftersale_type = 'exchange' WHERE shop_id = 2 AND case_id = %s", (changes,)
        )
    work(shops)
    page = client.get(address).content.decode()
    assert figures(page) == {"选中": "5", "完成": "1", "跳过": "4", "失败": "0"}
    exchange = "买家申请的是换货、维修或补发，平台不会退款；请同意退货，或请买家改成退款申请。"
    assert causes(page) == {first: (2, set(back)), limit: (1, {much}), exchange: (1, {changes})}
    assert asked(shops, "SELECT case_id FROM intent WHERE shop_id = 2 AND channel = 'bulk'") == [(fits,)]
    left = "SELECT case_id FROM queue_item WHERE shop_id = 2 AND case_id = ANY(%s) ORDER BY 1"
    assert asked(shops, left, [*back, much, changes, fits]) == [
        (one,) for one in sorted([*back, much, changes])
    ]
    assert asked(shops, "SELECT 1 FROM happening WHERE kind = 'person' AND case_id = %s", changes) == []
    [(body,)] = asked(
        shops,
        "SELECT f.body FROM job_file f JOIN bulk b ON b.job_id = f.job_id ORDER BY f.job_id DESC LIMIT 1",
    )
    rows = list(csv.DictReader(io.StringIO(bytes(body).decode("utf-8-sig"))))
    assert {row["售后单"]: row["原因"] for row in rows} == {
        fits: "", back[0]: first, back[1]: first, much: limit, changes: exchange,
    }  # fmt: skip
    same = Refusal("above_sub_limit", "", fen=20_000)
    assert said(same) == f"没有执行：{limit}"
    assert (
        client.post(f"/case/snack/{back[0]}/do/agree_refund", {"version": 1, "amount_fen": 23600}).status_code
        == 302
    )
    assert f"没有执行：{first}" in client.get(f"/case/snack/{back[0]}").content.decode()


def test_all_that_match_are_given_to_a_colleague(sign_in: SignIn, shops: Database) -> None:
    client = sign_in("主管阿兰")
    waiting = asked(shops, "SELECT count(*) FROM queue_item WHERE shop_id = 2")[0][0]
    address = preview(client, act="give", owner="客服小明", all="1", address="?shop=snack")
    page = client.get(address).content.decode()
    assert figures(page)["会执行"] == str(waiting)
    confirm(client, address)
    work(shops)
    owners = "SELECT owner, count(*) FROM queue_item WHERE shop_id = 2 GROUP BY 1"
    assert asked(shops, owners) == [("客服小明", waiting)]
    again = client.get(
        preview(client, act="give", owner="客服小明", all="1", address="?shop=snack")
    ).content.decode()
    assert figures(again) == {"选中": str(waiting), "会执行": "0", "会跳过": str(waiting)}
    nobody = client.get(
        preview(client, act="give", owner="外人老吴", all="1", address="?shop=snack")
    ).content.decode()
    assert figures(nobody)["会执行"] == "0"
    assert "这位同事不在这家店铺。" in nobody


NOTHING = [
    ({"act": ""}, "没有预览：还没有选要做什么，请先选一项。"),
    ({"act": "pay"}, "没有预览：还没有选要做什么，请先选一项。"),
    ({"act": "give"}, "没有预览：请写明交给谁、移到哪个队列，或者备注的内容。"),
    ({"act": "note", "text": " "}, "没有预览：请写明交给谁、移到哪个队列，或者备注的内容。"),
    (
        {"act": "agree_refund", "pick": []},
        "没有预览：还没有选中售后单，请先勾选，或用页尾的“对符合条件的全部”。",
    ),
]


@pytest.mark.parametrize(("form", "told"), NOTHING)
def test_an_act_that_is_none_or_says_nothing_goes_back_and_says_so(
    sign_in: SignIn, shops: Database, form: dict[str, object], told: str
) -> None:
    before = asked(shops, "SELECT count(*) FROM bulk")
    client, whole = sign_in("主管阿兰"), {"address": "?tab=all", "pick": [f"tea:{SMALL[0]}"], **form}
    answer = client.post("/bulk", whole)
    assert answer["Location"] == "/queue?tab=all"
    assert told in client.get("/queue?tab=all").content.decode()
    assert asked(shops, "SELECT count(*) FROM bulk") == before


def test_views_are_one_s_own_or_shared_by_a_lead(sign_in: SignIn) -> None:
    agent, lead, stranger = sign_in("客服小明"), sign_in("主管阿兰"), sign_in("外人老吴")
    agent.post("/views", {"title": "我的急件", "address": "?reason=quality"})
    lead.post("/views", {"title": "大额", "address": "?amount=1000-&sort=amount", "share": "tea"})
    assert agent.post("/views", {"title": "偷", "address": "?", "share": "tea"}).status_code == 404
    mine, theirs, foreign = (one.get("/queue").content.decode() for one in (agent, lead, stranger))
    assert 'href="/queue?reason=quality"' in mine
    assert "大额" in mine
    assert "我的急件" in mine
    assert "我的急件" not in theirs
    assert "大额" not in foreign
    number = re.findall(r"/views/(\d+)/drop", lead.get("/queue").content.decode())[0]
    assert agent.post(f"/views/{number}/drop").status_code == 404
    assert stranger.post(f"/views/{number}/drop").status_code == 404
    assert lead.post(f"/views/{number}/drop").status_code == 302
    agent.post("/views", {"title": "外面", "address": "https://example.com"})
    assert "example.com" not in agent.get("/queue").content.decode()
