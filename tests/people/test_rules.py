"""规则: read, changed as rows, values and text, checked, tried on the past, approved by another, published, taken back."""

import html
import re
from collections.abc import Callable

import psycopg
import pytest
from django.test import Client

from aftersale.people.accounts import ensure_user
from aftersale.rulebooks import books
from tests.conftest import Database
from tests.people.conftest import PASSWORD
from tests.people.jobs import run_jobs

SignIn = Callable[[str], Client]
LAN, MING, STRANGER, SECOND = "主管阿兰", "客服小明", "外人老吴", "店主阿青"
TEXT = books.text("refund.yaml")


@pytest.fixture(scope="module")
def second(shops: Database) -> str:
    ensure_user(SECOND, PASSWORD, {"tea": "owner", "snack": "owner"})
    return SECOND


def text(page: bytes) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page.decode())))


def asked(shops: Database, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(shops.owner) as conn:
        return conn.execute(query).fetchall()  # type: ignore[call-overload,unused-ignore]


def _edit(shops: Database, shop_id: int) -> tuple[int, str, str, dict[str, object]]:
    found = asked(
        shops,
        f"SELECT revision, sha256, text, settings FROM book_edit WHERE shop_id = {shop_id} AND ended IS NULL",
    )
    assert len(found) == 1
    return found[0]  # type: ignore[return-value]


def _begin(client: Client, shop: str) -> None:
    assert client.post(f"/rules/{shop}/edit", {"begin": "1"}).status_code == 302


def test_books_and_what_their_rules_did(sign_in: SignIn, shops: Database) -> None:
    page = text(sign_in(MING).get("/rules").content)
    assert "退款与退货的处理" in page
    assert f"{len(books.book().rules)} 条规则" in page
    shown = sign_in(MING).get("/rules/tea/book/refund?figures=1").content.decode()
    decided = asked(shops, "SELECT rule, count(DISTINCT case_id) FROM decision WHERE shop_id = 1 GROUP BY 1")
    wanted = {row[0]: row[1] for row in decided}
    found = re.findall(
        r'<tr id="rule-(\w+)">.*?</td><td class="num"[^>]*>(\d+|—)</td><td class="num"', shown, re.S
    )
    assert {rule: int(count) for rule, count in found if count != "—"} == wanted
    assert "修改规则" not in shown
    assert "改规则要主管或店主" in shown
    for name in books.shipped():
        assert sign_in(MING).get(f"/rules/tea/book/{name}").status_code == 200, name


def test_only_leads_change_rules_and_only_their_own(sign_in: SignIn) -> None:
    assert sign_in(MING).post("/rules/tea/edit", {"begin": "1"}).status_code == 403
    assert sign_in(MING).post("/rules/tea/do/publish", {"why": "x"}).status_code == 403
    theirs = sign_in(STRANGER).get("/rules/tea/book/refund")
    nowhere = sign_in(STRANGER).get("/rules/nowhere/book/refund")
    assert (theirs.status_code, theirs.content) == (404, nowhere.content)
    for address in ("edit", "do/publish", "back/1", "edit/lint", "backtest"):
        assert sign_in(STRANGER).post(f"/rules/tea/{address}", {"begin": "1"}).status_code == 404, address


def test_from_a_value_to_a_published_version_and_back(sign_in: SignIn, shops: Database, second: str) -> None:
    lan, boss = sign_in(LAN), sign_in(second)
    _begin(lan, "snack")
    revision, _, _, _ = _edit(shops, 2)
    form = {"revision": revision, "tab": "values", "value-small_amount_max": "25", "was-small_amount_max": ""}
    assert "草稿已保存" in text(lan.post("/rules/snack/edit", form, follow=True).content)
    _, sha, _, settings = _edit(shops, 2)
    assert settings == {"small_amount_max": 2500}
    page = text(lan.get("/rules/snack/edit").content)
    assert "这次改动会影响自动付款" in page
    refused = lan.post("/rules/snack/do/publish", {"why": "放宽", "sha256": sha}, follow=True).content
    assert "要由另一位同事先复核" in text(refused)
    lan.post("/rules/snack/do/ask", {"why": "小金额放宽", "sha256": sha})
    own = lan.post("/rules/snack/do/answer", {"yes": "1", "sha256": sha}, follow=True).content
    assert "自己写的规则要由另一位同事复核" in text(own)
    waits = text(boss.get("/rules/snack/edit").content)
    assert "小金额放宽" in waits
    assert "小金额的上限" in waits
    assert "已同意这份内容" in text(
        boss.post("/rules/snack/do/answer", {"yes": "1", "sha256": sha}, follow=True).content
    )
    done = lan.post("/rules/snack/do/publish", {"why": "小金额放宽", "sha256": sha}, follow=True).content
    assert "已发布" in text(done)
    assert asked(shops, "SELECT settings FROM shop WHERE id = 2") == [({"small_amount_max": 2500},)]
    [(shipped, made)] = asked(shops, "SELECT min(id), max(id) FROM book_release WHERE shop_id = 2")
    assert "小金额的上限" in text(lan.get(f"/rules/snack/diff/{made}").content)
    back = text(boss.post(f"/rules/snack/back/{shipped}", follow=True).content)
    assert f"已退回到版本 {shipped}" in back
    assert asked(shops, "SELECT settings FROM shop WHERE id = 2") == [({},)]
    assert asked(shops, "SELECT count(*) FROM book_live WHERE shop_id = 2") == [(0,)]
    assert boss.post(f"/rules/tea/back/{made}", follow=True).status_code == 200
    assert asked(shops, "SELECT count(*) FROM book_release WHERE shop_id = 1") == [(0,)]


BAD_VALUES = (
    "ten",
    "-1",
    "1e3",
    "٣",
    "1,000.001",
    "0.005",
    "NaN",
    "∞",
    "99999999999999999999",
    "１００",
    "=1+1",
)


@pytest.mark.parametrize("bad", BAD_VALUES)
def test_a_bad_amount_changes_nothing(sign_in: SignIn, shops: Database, bad: str) -> None:
    lan = sign_in(LAN)
    _begin(lan, "tea")
    before = _edit(shops, 1)
    form = {"revision": before[0], "tab": "values", "value-small_amount_max": bad, "was-small_amount_max": ""}
    page = lan.post("/rules/tea/edit", form, follow=True)
    assert page.status_code == 200
    assert "草稿已保存" not in text(page.content)
    assert _edit(shops, 1) == before
    step = {"share": "10", "budget": bad, "sha256": before[1]}
    lan.post("/rules/tea/do/try", step)
    assert asked(shops, "SELECT count(*) FROM draft WHERE share_percent > 0") == [(0,)]


def test_lint_speaks_beside_the_line_while_typing(sign_in: SignIn, shops: Database) -> None:
    lan = sign_in(LAN)
    _begin(lan, "tea")
    before = _edit(shops, 1)
    wrong = TEXT.replace("when: intervened\n", "when: intervenedd\n", 1)
    line = wrong.split("\n").index("    when: intervenedd") + 1
    found = lan.post("/rules/tea/edit/lint", {"text": wrong}).content.decode()
    assert f'data-line="{line}"' in found
    assert "intervened" in found
    broken = lan.post("/rules/tea/edit/lint", {"text": "book: [\n<script>alert(1)</script>"}).content.decode()
    assert "<script>" not in broken
    assert "rules-error" in broken
    assert "没有发现错误" in lan.post("/rules/tea/edit/lint", {"text": TEXT}).content.decode()
    assert _edit(shops, 1) == before


def test_a_rule_as_rows_is_the_same_rule(sign_in: SignIn, shops: Database) -> None:
    lan = sign_in(LAN)
    _begin(lan, "tea")
    for name in ("amount_above_paid", "long_refused_overdue", "deposit"):
        page = lan.get(f"/rules/tea/edit/rule/{name}").content.decode()
        form = _form(page)
        assert lan.post(f"/rules/tea/edit/rule/{name}", form).status_code == 302, name
    kept = books.parse(_edit(shops, 1)[2])
    assert kept.version == books.parse(TEXT).version or [(r.when, dict(r.then)) for r in kept.rules] == [
        (r.when, dict(r.then)) for r in books.book().rules
    ]


def test_a_new_row_decides(sign_in: SignIn, shops: Database) -> None:
    lan = sign_in(LAN)
    _begin(lan, "tea")
    form = _form(lan.get("/rules/tea/edit/rule/amount_above_paid").content.decode())
    form |= {
        "fact-1": "reason",
        "relation-1": "in",
        "value-1": "'quality', 'fake'",
        "title": "超过实付，先问",
    }
    assert lan.post("/rules/tea/edit/rule/amount_above_paid", form).status_code == 302
    rule = next(one for one in books.parse(_edit(shops, 1)[2]).rules if one.name == "amount_above_paid")
    assert (rule.text, rule.title) == ("amount > paid and reason in ('quality', 'fake')", "超过实付，先问")
    shown = lan.get("/rules/tea/edit/rule/amount_above_paid").content
    said = re.findall(r'rules-said">([^<]+)<', shown.decode())
    assert said == ["申请金额 &gt; 订单实付", "申请原因 属于 质量问题、怀疑假货"], (
        "conditions stand there in words too"
    )
    form = _form(shown.decode())
    dated = lan.post("/rules/tea/edit/rule/amount_above_paid", {**form, "until": "2027-01-01"})
    assert dated.status_code == 302
    assert "until: 2027-01-01\n" in _edit(shops, 1)[2]
    assert 'value="2027-01-01"' in lan.get("/rules/tea/edit/rule/amount_above_paid").content.decode()
    wrong = lan.post("/rules/tea/edit/rule/amount_above_paid", {**form, "fact-1": "no_such_fact"})
    assert (wrong.status_code, "no_such_fact" in wrong.content.decode()) == (422, True)


def _form(page: str) -> dict[str, object]:
    found: dict[str, object] = {}
    part = page[page.index("rules-one") : page.rindex("保存到草稿")]
    for name, value in re.findall(
        r'<input[^>]*? name="([^"]+)" value="([^"]*)"(?![^>]*type="checkbox")', part
    ):
        found[name] = html.unescape(value)
    for name, body in re.findall(r'<select[^>]*? name="([^"]+)"[^>]*>(.*?)</select>', part, re.S):
        chosen = re.search(r'<option value="([^"]*)" selected', body)
        found[name] = html.unescape(chosen[1]) if chosen else ""
    found["platforms"] = re.findall(r'name="platforms" value="([^"]+)" checked', part)
    return found


def test_the_past_says_what_a_draft_would_change(sign_in: SignIn, shops: Database) -> None:
    lan = sign_in(LAN)
    _begin(lan, "tea")
    revision, _, _, _ = _edit(shops, 1)
    form = {
        "revision": revision,
        "tab": "values",
        "value-unshipped_direct_max": "1",
        "was-unshipped_direct_max": "",
    }
    lan.post("/rules/tea/edit", form)
    answer = lan.post("/rules/tea/backtest", {"sweep": "unshipped_direct_max=1..201/100"})
    assert answer.status_code == 302
    assert run_jobs(shops) == 1
    page = lan.get(answer["Location"]).content
    assert "判断不同" in text(page), text(page)[:3000]
    assert "」取不同的值" in text(page)
    [(cases,)] = asked(shops, "SELECT result->'cases' FROM job ORDER BY id DESC LIMIT 1")
    assert [(cases,)] == asked(shops, "SELECT count(DISTINCT case_id) FROM decision WHERE shop_id = 1")
    assert sign_in(MING).get(answer["Location"]).status_code == 403
    assert lan.get("/rules/tea/backtest")["Location"] == answer["Location"]


def test_who_may_publish_finds_the_waiting_draft_under_approvals(
    sign_in: SignIn, shops: Database, second: str
) -> None:
    lan, boss = sign_in(LAN), sign_in(second)
    _begin(lan, "snack")
    revision, _, _, _ = _edit(shops, 2)
    form = {"revision": revision, "tab": "values", "value-small_amount_max": "31", "was-small_amount_max": ""}
    lan.post("/rules/snack/edit", form)
    _, sha, _, _ = _edit(shops, 2)
    assert "小金额再放宽" not in text(boss.get("/approvals").content)
    lan.post("/rules/snack/do/ask", {"why": "小金额再放宽", "sha256": sha})
    page = boss.get("/approvals").content.decode()
    assert "主管阿兰 在 11-11 12:00 请人复核： 小金额再放宽 看改了什么，再决定" in text(page.encode())
    assert 'href="/rules/snack/edit?tab=changes"' in page
    assert 'nav-count">1<' in page
    assert "您写过这份规则，要由另一位同事复核。" in text(lan.get("/approvals").content)
    for name in (MING, STRANGER):
        other = sign_in(name).get("/approvals").content
        assert "小金额再放宽" not in text(other)
        assert b"nav-count" not in other
    seen = text(boss.get("/rules/snack/edit?tab=changes").content)
    assert "¥31.00" in seen
    boss.post("/rules/snack/do/answer", {"yes": "0", "why": "先不放宽", "sha256": sha})
    assert "小金额再放宽" not in text(boss.get("/approvals").content)
    lan.post("/rules/snack/do/drop")
    assert asked(shops, "SELECT count(*) FROM book_edit WHERE shop_id = 2 AND ended IS NULL") == [(0,)]


def test_another_book_says_that_it_is_read_only_and_where_its_values_are(sign_in: SignIn) -> None:
    page = sign_in(LAN).get("/rules/tea/book/deadlines").content.decode()
    assert "这本规则书在这里只能看。" in text(page.encode())
    assert 'href="/settings/thresholds/tea?q=deadlines"' in page
    assert "修改规则" not in page
