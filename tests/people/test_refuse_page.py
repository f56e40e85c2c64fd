"""Refusing an application at the desk and over the API: the form, what it turns away, and that nothing then happened."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import BytesIO

import psycopg
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from aftersale.api.tokens import make_token
from aftersale.cases.casework.refusing import Reason, told
from aftersale.people.accounts import ensure_user
from tests.conftest import Database
from tests.people.conftest import PASSWORD
from tests.people.shops import NOON, case_id, stand_still
from tests.people.test_desk import SignIn, asked, text

# return_refund, applied; ¥236.00, the last one ¥512.00
MINE, PLANNED, DOCKED, ASKED, SLOW = (case_id(1, no) for no in (2, 18, 34, 27, 43))
PDD = case_id(2, 2)
FORM = f"/case/tea/{MINE}/refuse"
WORDS = "亲，很抱歉，商品已经使用过，这次的申请我们没法同意。"
REASONS = [Reason(1, "已经发货"), Reason(2, "商品影响二次销售", "请附照片")]
Change = Callable[..., None]


def photo() -> SimpleUploadedFile:
    made = BytesIO()
    Image.new("RGB", (640, 480), "red").save(made, "JPEG")
    return SimpleUploadedFile("照片.jpg", made.getvalue(), "image/jpeg")


@pytest.fixture
def change(shops: Database) -> Iterator[Change]:
    """What is known of the case, for this test; 青山茶铺 has a door to its platform, and the buyer was talked to."""

    def of(case: str = MINE, **values: object) -> None:
        sets = ", ".join(f"{name} = %s" for name in values)
        with psycopg.connect(shops.owner) as conn:
            conn.execute(f"UPDATE cases SET {sets} WHERE case_id = %s".encode(), (*values.values(), case))

    with psycopg.connect(shops.owner) as conn:
        conn.execute("UPDATE shop SET base_url = 'http://127.0.0.1:9', app_key = 'k' WHERE id = 1")
    for case in (MINE, PLANNED, DOCKED, ASKED, SLOW):
        of(case, contact_count=1)
    yield of
    of(contact_count=1, operation_limit="none", fault=None, state="applied", application_version=1)
    with psycopg.connect(shops.owner) as conn:
        conn.execute("DELETE FROM refuse_reasons")
        conn.execute("UPDATE shop SET base_url = NULL, app_key = NULL WHERE id = 1")


@pytest.fixture
def answered(change: Change, shops: Database, sign_in: SignIn) -> None:
    """The platform has told its reasons."""
    for case in (MINE, PLANNED, DOCKED, ASKED, SLOW):
        assert "正在向平台询问" in text(sign_in("客服小明").get(f"/case/tea/{case}/refuse").content)
        with psycopg.connect(shops.app) as conn:
            told(conn, 1, case, 1, REASONS, "")


def refusals(shops: Database, case: str) -> list[tuple[object, ...]]:
    return asked(
        shops,
        "SELECT i.state, i.planned_by, i.channel, r.reason_id, r.reason, r.message, e.kind, e.name, i.due_at"
        " FROM intent i JOIN refusing r USING (shop_id, case_id, platform_version)"
        " JOIN evidence e ON e.id = r.evidence_id AND e.case_id = r.case_id"
        f" WHERE i.kind = 'refuse' AND i.case_id = '{case}'",
    )


def nothing(shops: Database, case: str = MINE) -> bool:
    found = [f"SELECT 1 FROM refusing WHERE case_id = '{case}'"]
    found.append(f"SELECT 1 FROM intent WHERE kind = 'refuse' AND case_id = '{case}'")
    return [asked(shops, query) for query in found] == [[], []]


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ({"contact_count": 0}, "还没有与买家沟通的记录"),
        ({"operation_limit": "cannot_refuse"}, "平台不允许拒绝"),
        ({"fault": "seller"}, "是我方或快递的责任"),
        ({"state": "return_agreed"}, "现在轮到买家，不能拒绝"),
    ],
)
def test_what_may_not_be_refused_has_no_form_and_is_not_refused(
    sign_in: SignIn, shops: Database, change: Change, known: dict[str, object], said: str
) -> None:
    change(**known)
    page = sign_in("客服小明").get(FORM).content
    assert said in text(page)
    assert b'name="message"' not in page
    sent = {"version": 1, "reason": 2, "message": WORDS, "proof": photo()}
    assert said in text(sign_in("客服小明").post(FORM, sent).content)
    assert nothing(shops)
    assert asked(shops, "SELECT 1 FROM refuse_reasons") == []


def test_without_a_connector_the_page_says_where_to_do_it(sign_in: SignIn, shops: Database) -> None:
    page = text(sign_in("客服小明").get(f"/case/snack/{PDD}").content)
    assert "要拒绝，请到平台后台操作" in page
    assert "拒绝 R" not in page
    assert "没有接上平台的拒绝接口" in text(sign_in("客服小明").get(f"/case/snack/{PDD}/refuse").content)
    posted = sign_in("客服小明").post(
        f"/case/snack/{PDD}/refuse", {"version": 1, "reason": 1, "message": WORDS}
    )
    assert "没有接上平台的拒绝接口" in text(posted.content)
    assert nothing(shops)


def test_the_form_waits_for_the_platform_and_says_when_there_is_no_answer(
    sign_in: SignIn, shops: Database, change: Change
) -> None:
    client = sign_in("客服小明")
    assert "拒绝 R" in text(client.get(f"/case/tea/{MINE}").content)
    page = client.get(FORM).content.decode()
    assert "正在向平台询问可以选的理由" in page
    assert f'hx-get="{FORM}"' in page
    assert "再看一次" in page  # without scripts
    again = client.get(FORM, headers={"hx-target": "refuse"}).content.decode()
    assert again.strip().startswith('<div class="refuse"')
    with psycopg.connect(shops.owner) as conn:
        conn.execute("UPDATE refuse_reasons SET wanted_at = wanted_at - interval '15 seconds'")
    page = client.get(FORM).content.decode()
    assert "平台没有回答可以选的理由" in page
    assert "load delay" not in page
    assert "再问一次" in page
    with psycopg.connect(shops.app) as conn:
        told(conn, 1, MINE, 1, [], "此申请不支持拒绝")
    assert "此申请不支持拒绝" in text(client.get(FORM).content)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"message": "不"}, "2 到 200 个字"),
        ({"message": "亲" * 201}, "2 到 200 个字"),
        ({"message": "亲，因为【不能同意的原因】，没法同意。"}, "还有没填的空"),
        ({"message": "亲，加我微信 abc123 私下解决吧。"}, "这句话不能发给买家"),
        ({"reason": 7}, "从平台给出的理由里选一个"),
        ({"reason": ""}, "从平台给出的理由里选一个"),
        ({"version": 2}, "刚刚改动了这张售后单"),
        ({"version": ""}, "刚刚改动了这张售后单"),
        ({"proof": None}, "平台要求附上一张图片凭证"),
        ({"proof": None, "evidence": 2}, "没有这张凭证"),
        ({"video": photo()}, "这里只能传视频"),
        ({"proof": SimpleUploadedFile("x.jpg", b"<script>", "image/jpeg")}, "不认识这种文件"),
    ],
)
def test_what_does_not_fit_is_turned_away_and_what_was_typed_stays(
    sign_in: SignIn, shops: Database, answered: None, wrong: dict[str, object], said: str
) -> None:
    sent = {"version": 1, "reason": 2, "message": WORDS, "proof": photo(), **wrong}
    answer = sign_in("客服小明").post(FORM, {name: one for name, one in sent.items() if one is not None})
    assert answer.status_code == 200
    assert said in text(answer.content)
    assert str(sent["message"]) in answer.content.decode()
    assert nothing(shops)


def test_a_return_that_came_back_is_to_have_a_video(
    sign_in: SignIn, shops: Database, change: Change, answered: None
) -> None:
    warning = "凭证里还没有拆包视频"
    assert warning not in text(sign_in("客服小明").get(FORM).content)
    with psycopg.connect(shops.owner) as conn:
        conn.execute(
            "INSERT INTO parcel (shop_id, tracking_no, tracking_state) VALUES (1, 'YT-BACK', 'signed')"
        )
    change(state="return_shipped", return_tracking_no="YT-BACK")
    assert warning in text(sign_in("客服小明").get(FORM).content)
    change(return_tracking_no=None)


def test_a_refusal_is_planned_told_and_taken_back(sign_in: SignIn, shops: Database, answered: None) -> None:
    client, form = sign_in("客服小明"), f"/case/tea/{PLANNED}/refuse"
    page = client.get(form).content.decode()
    assert "您将拒绝订单" in page
    assert "¥236.00" in page
    assert re.findall(r'<option value="(\d*)"', page) == ["", "1", "2"]
    assert "【不能同意的原因】" in page  # the script that the book has for it
    sent = {"version": 1, "reason": 2, "message": WORDS, "proof": photo()}
    done = client.post(form, sent, follow=True)
    assert done.redirect_chain == [(f"/case/tea/{PLANNED}", 302)]
    shown = text(done.content)
    assert "「拒绝」将在 30 秒后发出" in shown
    assert "拒绝的理由「商品影响二次销售」" in shown
    due = NOON + timedelta(seconds=30)
    row = ("客服小明", "web", 2, "商品影响二次销售", WORDS, "photo", "照片.jpg", due)
    assert refusals(shops, PLANNED) == [("approved", *row)]
    assert asked(shops, f"SELECT 1 FROM queue_item WHERE case_id = '{PLANNED}'") == []
    assert "拒绝 R" not in shown
    twice = text(client.post(form, {**sent, "proof": photo()}).content)
    assert "这一步已经做过了" in twice
    undone = client.post(f"/case/tea/{PLANNED}/do/undo", {"intent": "refuse"}, follow=True).content
    assert "已撤回「拒绝」" in text(undone)
    assert refusals(shops, PLANNED) == [("cancelled", *row)]


def test_in_the_bar_below_the_queue(sign_in: SignIn, shops: Database, answered: None) -> None:
    client, at = sign_in("客服小明"), f"/case/tea/{DOCKED}/refuse"
    bar = client.get(f"/queue/dock/tea/{DOCKED}").content.decode()
    assert re.search(rf'<a [^>]*hx-get="{at}\?dock=1"[^>]*data-key="r">拒绝', bar)
    form = client.get(at + "?dock=1", headers={"hx-request": "true", "hx-target": "dock"}).content.decode()
    assert f'data-for="row-tea-{DOCKED}"' in form
    assert f'hx-post="{at}"' in form
    sent = {"version": 1, "reason": 2, "message": "不", "dock": 1, "proof": photo()}
    headers = {"hx-request": "true", "hx-target": "dock"}
    wrong = client.post(at, sent, headers=headers).content.decode()
    assert "2 到 200 个字" in wrong
    assert f'data-for="row-tea-{DOCKED}"' in wrong
    assert nothing(shops, DOCKED)
    done = client.post(at, {**sent, "message": WORDS, "proof": photo()}, headers=headers)
    row = {"key": f"tea:{DOCKED}", "gone": True, "undone": False, "ok": True}
    assert json.loads(done["HX-Trigger-After-Settle"]) == {"desk:done": row}
    assert "「拒绝」将在 30 秒后发出" in text(done.content)
    assert f'data-of="tea:{DOCKED}|refuse"' in done.content.decode()
    with psycopg.connect(shops.owner) as conn:
        stand_still(conn, NOON + timedelta(seconds=31))
        conn.execute("SET aftersale.kinds = 'refuse'")
        conn.execute("UPDATE intent SET state = 'sending' WHERE kind = 'refuse' AND state = 'approved'")
        conn.execute("UPDATE intent SET state = 'done' WHERE kind = 'refuse' AND state = 'sending'")
        stand_still(conn)
    gone = client.get(f"/queue/dock/tea/{DOCKED}").content.decode()
    assert "「拒绝」已完成" in text(gone.encode())


def test_whoever_may_not_refuse_has_no_button_and_strangers_no_page(
    sign_in: SignIn, shops: Database, answered: None
) -> None:
    ensure_user("财务小钱", PASSWORD, {"tea": "finance"})
    client = sign_in("财务小钱")
    assert "拒绝 R" not in text(client.get(f"/case/tea/{MINE}").content)
    sent = {"version": 1, "reason": 2, "message": WORDS, "proof": photo()}
    assert "不在角色的权限之内" in text(client.post(FORM, sent).content)
    assert nothing(shops)
    stranger = sign_in("外人老吴")
    for theirs, missing in (
        (stranger.get(FORM), stranger.get("/case/wu/999999/refuse")),
        (stranger.post(FORM, sent), stranger.post("/case/wu/999999/refuse", sent)),
    ):
        assert (theirs.status_code, theirs.content) == (404, missing.content)
    assert nothing(shops)


def test_it_is_not_done_to_many_at_once_nor_without_words(
    sign_in: SignIn, shops: Database, answered: None
) -> None:
    client = sign_in("主管阿兰")
    assert 'value="refuse"' not in client.get("/queue").content.decode()
    client.post("/bulk", {"act": "refuse", "pick": f"tea:{MINE}"})
    bare = client.post(f"/case/tea/{MINE}/do/refuse", {"version": 1, "amount_fen": 0}, follow=True)
    assert "拒绝要写明平台的理由和给买家的话" in text(bare.content)
    assert nothing(shops)
    assert asked(shops, "SELECT 1 FROM bulk WHERE act = 'refuse'") == []


def test_over_the_api(sign_in: SignIn, shops: Database, answered: None) -> None:
    token = make_token("客服小明", "refuse", acts=True)
    assert isinstance(token, str)
    client = Client(headers={"host": "127.0.0.1", "authorization": f"Bearer {token}"})
    address = f"/api/cases/tea/{ASKED}/refuse"
    assert (
        sign_in("客服小明")
        .post(f"/case/tea/{ASKED}/evidence", {"kind": "photo", "file": photo()})
        .status_code
        == 302
    )
    known = client.get(address).json()
    [picture, *_] = known["pictures"]
    assert known == {
        "version": 1, "amount_fen": 51200, "message_chars": [2, 200], "proof_needed": True, "waits": False,
        "reasons": [{"id": 1, "text": "已经发货", "tips": ""}, {"id": 2, "text": "商品影响二次销售", "tips": "请附照片"}],
        "pictures": known["pictures"], "refused": None,
    }  # fmt: skip
    wish = {"version": 1, "reason_id": 2, "message": WORDS, "evidence_id": picture["id"]}

    def refuse(to: str = address, **other: object) -> tuple[int, object]:
        answer = client.post(to, json.dumps(wish | other), content_type="application/json")
        return answer.status_code, answer.json()

    for code, other in (
        ("changed", {"version": 3}), ("no_reason", {"reason_id": 9}), ("length", {"message": "不"}),
        ("no_proof", {"evidence_id": None}), ("no_picture", {"evidence_id": 10**30}),
    ):  # fmt: skip
        status, said = refuse(**other)
        assert (status, isinstance(said, dict) and said["code"]) == (409, code)
    assert nothing(shops, ASKED)
    foreign = refuse(f"/api/cases/wu/{case_id(3, 0)}/refuse")
    assert foreign == refuse("/api/cases/nosuchshop/1/refuse") == (404, {"error": "没有这张售后单"})
    assert refuse() == (200, {"intent": "refuse", "version": 1, "sent_in_s": 30})
    assert [row[:6] for row in refusals(shops, ASKED)] == [
        ("approved", "客服小明", "api", 2, "商品影响二次销售", WORDS)
    ]
    status, said = refuse()
    assert (status, isinstance(said, dict) and said["code"]) == (409, "already")
