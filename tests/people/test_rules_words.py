"""What is wrong with a rule is said in the reader's language, with the place where it stands."""

import html
import json
import re
from collections.abc import Callable, Iterator

import psycopg
import pytest
from django.test import Client

from aftersale.people.accounts import ensure_user
from aftersale.rulebooks import books
from tests.conftest import Database
from tests.people.catalog import FAULTS, unsaid
from tests.people.conftest import PASSWORD
from tests.people.jobs import run_jobs

SignIn = Callable[[str], Client]
LAN, READER = "主管阿兰", "reader"
CHINESE = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
HEAD = "book: refund\ntitle: 退款\ntitle_en: Refunds\nhit: first\nfacts: case\n"
CAP = "settings:\n  - {name: cap, type: fen, default: 1000, title: 上限, title_en: Ceiling}\n"
FIRST = "  - {name: first, title: 先看金额, title_en: Amounts first, when: %s, then: {action: %s}}\n"
SECOND = "  - {name: second, title: 再看平台, title_en: Platforms next, when: %s, then: {action: %s}}\n"
PAYS = "agree_refund, amount: amount"


@pytest.fixture
def reader(shops: Database, sign_in: SignIn) -> Client:
    """Leads the same shops and reads English."""
    ensure_user(READER, PASSWORD, {"tea": "lead", "snack": "lead"})
    found = sign_in(READER)
    found.cookies["django_language"] = "en"
    return found


@pytest.fixture
def lan(sign_in: SignIn) -> Client:
    return sign_in(LAN)


@pytest.fixture
def draft(lan: Client) -> Iterator[Client]:
    lan.post("/rules/snack/edit", {"begin": "1"})
    yield lan
    lan.post("/rules/snack/do/drop")


def book(
    first: str, then: str = "manual_review", second: str = "", then_second: str = "manual_review"
) -> str:
    rules = FIRST % (first, then) + (SECOND % (second, then_second) if second else "")
    return f"{HEAD}{CAP}rules:\n{rules}otherwise: {{action: manual_review}}\n"


def remarks(client: Client, text: str) -> list[str]:
    page = client.post("/rules/tea/edit/lint", {"text": text}).content.decode()
    found = re.findall(r'<p class="rules-remark.*?</p>', page, re.S)
    return [" ".join(html.unescape(re.sub(r"<[^>]+>", " ", one)).split()) for one in found]


WRONG = (
    (
        book("amout > 100"),
        "错误 第 9 行 没有名为 amout 的事实，最近的是 amount（when:1）",
        "Error Line 9 There is no fact named amout; the nearest is amount (when:1)",
    ),
    (
        book("amount > 100 and platform = 'tmal'"),
        "错误 第 9 行 取值里没有 'tmal'，最近的是 tmall（when:18）",
        "Error Line 9 'tmal' is not one of the values; the nearest is tmall (when:18)",
    ),
    (
        book("amount"),
        "错误 第 9 行 这里需要一个条件，得到的是金额（when:1）",
        "Error Line 9 A condition is needed here; this is of the kind “Amount” (when:1)",
    ),
    (
        book("amount > :caps"),
        "错误 第 9 行 没有名为 :caps 的设置，最近的是 cap（when:10）",
        "Error Line 9 There is no setting named :caps; the nearest is cap (when:10)",
    ),
    (
        book("amount > 1", "manual_reviw"),
        "错误 第 9 行 规则 「先看金额」：没有名为 manual_reviw 的动作，最近的是 manual_review",
        "Error Line 9 Rule “Amounts first”: there is no action named manual_reviw; the nearest is manual_review",
    ),
    (
        HEAD + "hit: first\nrules: []\n",
        "错误 第 1 行 YAML 读不懂：hit 写了两次（line 1）",
        "Error Line 1 The YAML cannot be read: hit is written twice (line 1)",
    ),
    (
        book("amount > 1").replace("default: 1000", "default: ten"),
        "错误 第 7 行 默认值不对：'ten' 不是整数（settings.cap）",
        "Error Line 7 The default is wrong: 'ten' is no whole number (settings.cap)",
    ),
)


@pytest.mark.parametrize(("text", "chinese", "english"), WRONG)
def test_a_fault_is_told_as_the_reader_reads(
    lan: Client, reader: Client, text: str, chinese: str, english: str
) -> None:
    assert remarks(lan, text) == [chinese]
    assert remarks(reader, text) == [english]
    assert CHINESE.search(english) is None


def _draft(shops: Database) -> tuple[int, str]:
    with psycopg.connect(shops.owner) as conn:
        row = conn.execute(
            "SELECT revision, text FROM book_edit WHERE shop_id = 2 AND ended IS NULL"
        ).fetchone()
    assert row is not None
    return row


def _kept(client: Client, shops: Database, text: str) -> None:
    form = {"revision": _draft(shops)[0], "tab": "text", "text": text}
    assert client.post("/rules/snack/edit", form).status_code == 302
    assert _draft(shops)[1] == text


def _remarks_of(page: bytes) -> list[str]:
    part = page.decode().partition('id="remarks"')[2].partition("</div>")[0]
    found = re.findall(r'<p class="rules-remark.*?</p>', part, re.S)
    return [" ".join(html.unescape(re.sub(r"<[^>]+>", " ", one)).split()) for one in found]


def test_suspicions_are_told_as_the_reader_reads(draft: Client, reader: Client, shops: Database) -> None:
    text = book("amount > 0", PAYS, "amount > 0 and platform = 'tmall'")
    _kept(draft, shops, text)
    draft.post("/rules/snack/edit/check")
    assert _remarks_of(draft.get("/rules/snack/edit").content) == [
        "错误 第 10 行 「再看平台」 永远轮不到：满足它的条件时，前面的 「先看金额」 已经命中",
        "请看一下 设置 :cap 没有规则使用",
    ]
    page = reader.get("/rules/snack/edit").content
    assert _remarks_of(page) == [
        "Error Line 10 “Platforms next” is never reached: whenever its conditions hold, “Amounts first” before it has "
        "decided already",
        "Please look No rule uses the setting :cap",
    ]
    _kept(draft, shops, book("amount > :cap", PAYS, "platform = 'tmall'", "agree_refund, amount: paid"))
    draft.post("/rules/snack/edit/check")
    [chinese] = _remarks_of(draft.get("/rules/snack/edit").content)
    [english] = _remarks_of(reader.get("/rules/snack/edit").content)
    assert chinese.startswith(
        "请看一下 第 10 行 「先看金额」 与 「再看平台」 会同时成立而金额不同，由先后次序决定，例如 "
    )
    assert "平台=天猫" in chinese
    assert english.startswith(
        "Please look Line 10 “Amounts first” and “Platforms next” can hold together with different amounts, and their "
        "order decides; for example: "
    )
    assert "Platform = Tmall" in english
    assert CHINESE.search(english) is None


def test_what_was_found_before_sentences_had_values_is_still_told(
    draft: Client, reader: Client, shops: Database
) -> None:
    text = book("amount > 123", PAYS)
    _kept(draft, shops, text)
    found = [
        {"code": "no_setting", "rule": "first", "text": "first 里的阈值 123 写死在条件里，100% 建议改成设置"}
    ]
    with psycopg.connect(shops.owner) as conn:
        conn.execute(
            "INSERT INTO book_check (version, passes, findings, checked_at) VALUES (%s, true, %s, now())",
            (books.parse(text).version, json.dumps(found)),
        )
    for client, begins in ((draft, "请看一下 第 9 行"), (reader, "Please look Line 9")):
        told = _remarks_of(client.get("/rules/snack/edit").content)
        assert told == [f"{begins} first 里的阈值 123 写死在条件里，100% 建议改成设置"]


def _said(page: bytes) -> str:
    found = re.findall(r'<div class="alert[^>]*>(.*?)</div>', page.decode(), re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", " ".join(found))).split())


def test_a_wrong_value_of_a_setting(draft: Client, reader: Client, shops: Database) -> None:
    form = {
        "revision": _draft(shops)[0],
        "tab": "values",
        "value-small_amount_max": "ten",
        "was-small_amount_max": "",
    }
    setting = books.book().settings["small_amount_max"]
    chinese = _said(draft.post("/rules/snack/edit", form, follow=True).content)
    assert f"{setting.title}：'ten' 不是以元计的金额" in chinese
    english = _said(reader.post("/rules/snack/edit", form, follow=True).content)
    assert f"{setting.title_en}: 'ten' is no amount in yuan" in english
    assert CHINESE.search(english) is None
    assert '"small_amount_max"' not in _draft(shops)[1]


def test_a_wrong_threshold_in_the_settings(lan: Client, reader: Client) -> None:
    address = "/settings/thresholds/tea/no_update_hours?value=-5"
    assert "-5 小于允许的最小值" in lan.get(address).content.decode()
    assert "-5 is less than" in reader.get(address).content.decode()


def test_a_rule_with_a_wrong_row(draft: Client, reader: Client, shops: Database) -> None:
    form = {
        "revision": _draft(shops)[0], "name": "amount_above_paid", "title": "x", "action": "manual_review",
        "fact-0": "amout", "relation-0": ">", "value-0": "1",
    }  # fmt: skip
    before = _draft(shops)
    address = "/rules/snack/edit/rule/amount_above_paid"
    chinese, english = draft.post(address, form), reader.post(address, form)
    assert (chinese.status_code, english.status_code) == (422, 422)
    assert _said(chinese.content) == "没有名为 amout 的事实，最近的是 amount（when:1）"
    assert _said(english.content) == "There is no fact named amout; the nearest is amount (when:1)"
    gone = reader.post("/rules/snack/edit/rule/nowhere/remove", {"revision": before[0]}, follow=True)
    assert "Rulebook refund, nowhere: There is no such rule" in _said(gone.content)
    assert _draft(shops) == before


def test_a_backtest_that_cannot_be_run(draft: Client, reader: Client, shops: Database) -> None:
    for client, wanted in (
        (draft, "应写成 名称=从..到/步长，步长大于 0"),
        (reader, "Write it as name=from..to/step, with a step above 0"),
    ):
        answer = client.post("/rules/snack/backtest", {"sweep": "small_amount_max=5..1/0"})
        assert run_jobs(shops) == 1
        page = html.unescape(client.get(answer["Location"]).content.decode())
        assert wanted in page


@pytest.mark.parametrize("path", FAULTS, ids=lambda path: path.stem)
def test_no_fault_is_put_together_where_no_catalog_could_hold_it(path: object) -> None:
    assert list(unsaid(path.read_text("utf-8"))) == []  # type: ignore[attr-defined]


def _summaries(page: bytes) -> list[str]:
    found = re.findall(r'<details class="rules-change.*?<summary>(.*?)</summary>', page.decode(), re.S)
    return [" ".join(html.unescape(re.sub(r"<[^>]+>", " ", one)).split()) for one in found]


def test_what_a_draft_takes_away_is_named(draft: Client, reader: Client, shops: Database) -> None:
    gone = books.book().rules[0]
    _kept(draft, shops, book("amount > :cap"))
    page = "/rules/snack/edit?tab=changes"
    assert any(one.endswith(gone.title) for one in _summaries(draft.get(page).content))
    english = _summaries(reader.get(page).content)
    assert any(one.endswith(gone.title_en) for one in english)
    assert [one for one in english if CHINESE.search(one)] == []


def test_the_versions_of_a_book(draft: Client, reader: Client, shops: Database) -> None:
    text = _draft(shops)[1].replace("title: 退款与退货的处理", "title: 退款与退货怎么办")
    _kept(draft, shops, text)
    with psycopg.connect(shops.owner) as conn:
        row = conn.execute("SELECT sha256 FROM book_edit WHERE shop_id = 2 AND ended IS NULL").fetchone()
    assert row is not None
    done = draft.post("/rules/snack/do/publish", {"why": "改个名字", "sha256": row[0]}, follow=True)
    assert "已发布" in _said(done.content)
    with psycopg.connect(shops.owner) as conn:
        row = conn.execute("SELECT min(id), max(id) FROM book_release WHERE shop_id = 2").fetchone()
    assert row is not None
    draft.post(f"/rules/snack/back/{row[0]}")
    for client, wanted in (
        (draft, [f"退回到版本 {row[0]}", "改个名字", "随软件安装的规则书"]),
        (reader, [f"Back to version {row[0]}", "改个名字", "The rulebook installed with the software"]),
    ):
        page = client.get("/rules/snack/book/refund").content.decode()
        rows = page.partition('id="releases"')[2].split('<div class="rules-release">')[1:]
        assert [re.findall(r"<span>(.*?)</span>", one)[0] for one in rows] == wanted
        diff = client.get(f"/rules/snack/diff/{row[1]}").content.decode()
        assert wanted[2][:25] in diff


THEN = re.compile(r'<div class="rules-then"><span class="sub" title="(\w+)">([^<]*)</span> ([^<]*)</div>')
CODE = re.compile(r"\b[a-z]+(?:_[a-z0-9]+)+\b")


def _follows(client: Client, name: str) -> list[tuple[str, str, str]]:
    """(key, its title, its value) of every line that the page of a book shows."""
    page = client.get(f"/rules/tea/book/{name}").content.decode()
    return [(key, html.unescape(title), html.unescape(value)) for key, title, value in THEN.findall(page)]


@pytest.mark.parametrize("name", [one for one in books.shipped() if one != "refund"])
def test_what_follows_is_told_without_codes(lan: Client, reader: Client, name: str) -> None:
    keys = [key for rule in books.book(name).rules for key in rule.then]
    for client, language in ((lan, "zh"), (reader, "en")):
        found = _follows(client, name)
        assert sorted(key for key, _, _ in found) == sorted(keys)
        assert {title for key, title, _ in found if title != books.output(name, key, language)} == set()  # type: ignore[arg-type]
        assert [one for one in found if CODE.search(one[2])] == []
        assert [one for one in found if bool(CHINESE.search(one[1])) is (language == "en")] == []
    assert [one for one in _follows(reader, name) if CHINESE.search(one[2])] == []


def test_measures_of_a_promotion(lan: Client, reader: Client) -> None:
    assert _follows(lan, "promotion")[0] == ("measures", "措施", "按活动类型批量处理、动员支援")
    assert _follows(reader, "promotion")[0] == (
        "measures",
        "Measures",
        "Settle in batches per activity type, Mobilise helpers",
    )


def test_the_values_of_a_setting_are_told_by_their_titles(draft: Client, reader: Client) -> None:
    for client, wanted in (
        (draft, {"intercept": "先拦截", "reject": "拒绝并补传单号"}),
        (reader, {"intercept": "Intercept first", "reject": "Refuse and upload the number"}),
    ):
        page = client.get("/rules/snack/edit?tab=values").content.decode()
        part = page.partition('name="value-no_number_way"')[2].partition("</select>")[0]
        assert dict(re.findall(r'<option value="(\w+)">([^<]*)</option>', part)) == wanted
