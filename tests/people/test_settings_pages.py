"""The settings' pages: what each setting is, who may change it, what it would do."""

import re
from collections.abc import Callable

import psycopg
import pytest
from django.contrib.auth.models import User
from django.test import Client
from psycopg.types.json import Jsonb

from aftersale.cases.access import shops_of
from aftersale.people.accounts import ensure_user
from aftersale.people.settings.known import lines_of
from aftersale.people.settings.thresholds import _value, _written
from aftersale.rulebooks import books
from tests.conftest import Database
from tests.people.conftest import PASSWORD
from tests.people.shops import case_id

SignIn = Callable[[str], Client]


def text(page: bytes) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.decode()))


def own(shops: Database) -> object:
    with psycopg.connect(shops.owner) as conn:
        return conn.execute("SELECT settings FROM shop WHERE id = 1").fetchone()[0]  # type: ignore[index]


@pytest.fixture(scope="module", autouse=True)
def staff(shops: Database) -> None:
    ensure_user("店主林姐", PASSWORD, {"tea": "owner", "snack": "owner"})


def test_every_setting_of_every_book_is_listed(sign_in: SignIn) -> None:
    page = sign_in("主管阿兰").get("/settings/thresholds/tea").content.decode()
    wanted = {name for book in books.shipped() for name in books.book(book).settings}
    assert set(re.findall(r"/settings/thresholds/tea/(\w+)", page)) == wanted
    found = text(sign_in("主管阿兰").get("/settings/thresholds/tea?q=small_amount_max").content)
    rules = [one.title for one in books.book("refund").rules if ":small_amount_max" in one.text]
    assert rules
    assert all(title in found for title in rules[:3])
    nothing = sign_in("主管阿兰").get("/settings/thresholds/tea?q=没有这个")
    assert "没有符合的设置" in nothing.content.decode()


def test_a_change_is_seen_before_it_is_made_and_told_afterwards(sign_in: SignIn, shops: Database) -> None:
    lead, before = sign_in("主管阿兰"), own(shops)
    seen = text(lead.get("/settings/thresholds/tea/small_amount_max?value=15000").content)
    assert "改成 ¥15,000.00 以后" in seen or "改成 ¥15000.00 以后" in seen
    assert re.search(r"看过的 \d+ 张未结售后单里，有 \d+ 张的判断会变", seen)
    assert own(shops) == before
    lead.post("/settings/thresholds/tea/small_amount_max", {"value": "12.5"})
    assert own(shops) == {**before, "small_amount_max": 1250}  # type: ignore[dict-item]
    history = text(lead.get("/settings/thresholds/tea/small_amount_max").content)
    assert re.search(r"主管阿兰 \S+ \S+ (默认|¥[\d.]+) → ¥12.50", history), history
    with psycopg.connect(shops.owner) as conn:
        told = conn.execute("SELECT who, target, more->>'value' FROM audit WHERE what = 'setting'").fetchall()
    assert told == [("主管阿兰", "small_amount_max", "12.50")]
    lead.post("/settings/thresholds/tea/small_amount_max", {"back": "1"})
    assert own(shops) == before


def test_values_that_are_none_are_refused(sign_in: SignIn, shops: Database) -> None:
    lead, before = sign_in("主管阿兰"), own(shops)
    for bad in ("", "-1", "abc", "1e3", "NaN", "1.234", "９", "99999999999999999999", "<script>", "\x00"):
        lead.post("/settings/thresholds/tea/small_amount_max", {"value": bad})
        assert own(shops) == before, bad
        page = lead.get("/settings/thresholds/tea/small_amount_max", {"value": bad})
        assert page.status_code == (400 if bad == "\x00" else 200), bad
        assert b"<script>" not in page.content
    assert lead.get("/settings/thresholds/tea/no_such_setting").status_code == 404


def test_what_limits_people_is_the_owners(sign_in: SignIn, shops: Database) -> None:
    before = own(shops)
    for name in ("lead_refund_max", "mfa_required_roles", "sub_limit"):
        assert (
            sign_in("主管阿兰").post(f"/settings/thresholds/tea/{name}", {"value": "1"}).status_code == 403
        ), name
        assert "要改请找店主" in sign_in("主管阿兰").get(f"/settings/thresholds/tea/{name}").content.decode()
    assert (
        sign_in("客服小明").post("/settings/thresholds/tea/small_amount_max", {"value": "1"}).status_code
        == 403
    )
    assert (
        sign_in("外人老吴").post("/settings/thresholds/tea/small_amount_max", {"value": "1"}).status_code
        == 404
    )
    assert own(shops) == before
    owner = sign_in("店主林姐")
    owner.post("/settings/thresholds/tea/mfa_required_roles", {"value": "finance，nobody"})
    assert own(shops) == before
    owner.post("/settings/thresholds/tea/lead_refund_max", {"value": "1500"})
    assert own(shops)["lead_refund_max"] == 150_000  # type: ignore[index]
    matrix = text(owner.get("/settings/rights/tea").content)
    assert "¥1,500.00" in matrix or "¥1500.00" in matrix
    owner.post("/settings/thresholds/tea/lead_refund_max", {"back": "1"})
    assert own(shops) == before


@pytest.mark.parametrize(
    "page", ["shops", "people/tea", "rights/tea", "hours/tea", "scripts", "health", "thresholds/tea"]
)
def test_pages_show_only_what_is_theirs(sign_in: SignIn, page: str) -> None:
    answer = sign_in("店主林姐").get(f"/settings/{page}")
    assert answer.status_code == 200
    assert "老吴" not in text(answer.content)
    assert not re.search(rb"<script>|<style|style=| on[a-z]+=", answer.content)
    assert sign_in("外人老吴").get(f"/settings/{page}").status_code == (404 if "tea" in page else 200)
    agent = sign_in("客服小明").get(f"/settings/{page}").status_code
    assert agent == (200 if page == "scripts" else 403)


def test_an_authorisation_that_ends_is_seen_early(sign_in: SignIn, shops: Database) -> None:
    owner = sign_in("店主林姐")
    with psycopg.connect(shops.owner) as conn:
        conn.execute("UPDATE shop SET base_url = 'http://127.0.0.1:9/' WHERE id = 1")
    soon = owner.post("/settings/shops/tea/until", {"until": "2026-11-14T08:00"}, follow=True)
    assert "授权快到期" in soon.content.decode()
    ended = owner.post("/settings/shops/tea/until", {"until": "2026-11-01T08:00"}, follow=True)
    assert "授权已失效" in ended.content.decode()
    assert (
        sign_in("主管阿兰").post("/settings/shops/tea/until", {"until": "gestern"}, follow=True).status_code
        == 200
    )
    assert sign_in("外人老吴").post("/settings/shops/tea/until", {"until": ""}).status_code == 404
    with psycopg.connect(shops.owner) as conn:
        kept = conn.execute(
            "UPDATE shop SET base_url = NULL WHERE id = 1 RETURNING authorised_until::text"
        ).fetchone()
    assert kept == ("2026-11-01 08:00:00+08",) or str(kept).startswith("('2026-11-01 00:00:00+00")


@pytest.mark.parametrize(
    ("address", "said", "command"),
    [
        ("/settings/health", "这要在服务器上处理，请转告管理服务器的人", "启动 aftersale work"),
        ("/settings/shops", "要在服务器上做；密钥不在页面上显示", "aftersale shop add"),
        ("/money", "请管理服务器的人核对一次", "aftersale ledger verify"),
    ],
)
def test_what_is_done_on_the_server_is_said_in_words_and_its_command_to_owners_alone(
    sign_in: SignIn, address: str, said: str, command: str
) -> None:
    leads, owners = sign_in("主管阿兰").get(address).content, sign_in("店主林姐").get(address).content
    assert (said in text(leads), said in text(owners)) == (True, True)
    assert (" aftersale " in text(leads), command in text(owners)) == (False, True)
    assert f"<code>{command}</code></details>" in owners.decode()


def test_a_time_of_day_is_shown_and_taken_as_one(sign_in: SignIn, shops: Database) -> None:
    lead, page, before = sign_in("主管阿兰"), "/settings/thresholds/tea/work_start_minute", own(shops)
    assert "默认 09:00" in text(lead.get(page).content)
    for bad in ("25:00", "09:60", "9点", ""):
        assert "时刻请写成 09:00，从 00:00 到 24:00" in text(lead.get(page, {"value": bad}).content), bad
        lead.post(page, {"value": bad})
        assert own(shops) == before, bad
    assert "改成 08:30 以后" in text(lead.get(page, {"value": "8：30"}).content)
    lead.post(page, {"value": "8：30"})
    assert own(shops) == {**before, "work_start_minute": 510}  # type: ignore[dict-item]
    assert "周一 08:30–18:00" in text(lead.get("/settings/hours/tea").content)
    assert "数值：08:30" in text(lead.get("/audit?what=setting").content)
    lead.post(page, {"back": "1"})
    assert own(shops) == before


def test_the_members_of_a_list_are_chosen_in_words(sign_in: SignIn, shops: Database) -> None:
    lead, page, before = sign_in("主管阿兰"), "/settings/thresholds/tea/small_amount_types_tb", own(shops)
    shown = lead.get(page).content.decode()
    assert "默认 退运费、退差价" in text(shown.encode())
    assert re.findall(r'name="value" value="(\w+)" checked', shown) == ["freight_refund", "price_diff_refund"]
    seen = lead.get(f"{page}?value=&value=freight_refund&value=deposit_refund").content.decode()
    assert "改成 退运费、退定金 以后" in text(seen.encode())
    assert '<input type="hidden" name="value" value="freight_refund,deposit_refund">' in seen
    assert "取值里没有" in text(lead.get(f"{page}?value=nonsense").content)
    lead.post(page, {"value": "freight_refund,deposit_refund"})
    assert own(shops) == {**before, "small_amount_types_tb": ["freight_refund", "deposit_refund"]}  # type: ignore[dict-item]
    lead.post(page, {"back": "1"})
    assert own(shops) == before
    chosen = lead.get("/settings/thresholds/tea/no_number_way").content.decode()
    assert re.findall(r'<option value="(\w+)" selected', chosen) == ["intercept"]


def test_no_time_is_set_beyond_ten_years(sign_in: SignIn, shops: Database) -> None:
    owner, before = sign_in("店主林姐"), own(shops)
    far = [
        ("unshipped_agree_hours", "59999999", "59999999 大于允许的最大值 87600"),
        ("no_update_hours", "99999999", "99999999 大于允许的最大值 87600"),
        ("restock_days", "3651", "3651 大于允许的最大值 3650"),
        ("pay_remind_after_s", "315360001", "315360001 大于允许的最大值 315360000"),
        ("small_amount_max", "1000000000.01", "不是以元计的金额"),
    ]
    for name, value, said in far:
        page = f"/settings/thresholds/tea/{name}"
        assert said in text(owner.get(page, {"value": value}).content).replace(",", "")
        assert said in text(owner.post(page, {"value": value}, follow=True).content).replace(",", "")
        assert own(shops) == before, name
    owner.cookies["django_language"] = "en"
    english = text(owner.get("/settings/thresholds/tea/no_update_hours", {"value": "99999999"}).content)
    del owner.cookies["django_language"]
    assert "99999999 is more than 87600, the most that is allowed" in english


def test_a_time_that_was_kept_too_far_away_is_shown_as_it_counts(sign_in: SignIn, shops: Database) -> None:
    owner, before = sign_in("店主林姐"), own(shops)
    with psycopg.connect(shops.owner) as conn:
        conn.execute(
            "UPDATE shop SET settings = settings || %s WHERE id = 1", (Jsonb({"no_update_hours": 99999999}),)
        )
    for page in ("/queue", "/work-orders/parcels", f"/case/tea/{case_id(1, 3)}", "/settings/thresholds/tea"):
        assert owner.get(page).status_code == 200, page
    shown = text(owner.get("/settings/thresholds/tea/no_update_hours").content)
    assert "87600 小时" in shown.replace(",", "")
    owner.post("/settings/thresholds/tea/no_update_hours", {"back": "1"})
    assert own(shops) == before


def test_every_default_survives_its_own_form(sign_in: SignIn, shops: Database) -> None:
    for shop in shops_of(User.objects.get(username="店主林姐")):
        for line in lines_of(shop):
            for value in (line.setting.default, line.setting.usual(shop.platform)):
                assert _value(line, _written(line, value)) == value, line.setting.name


def test_a_list_of_numbers_is_kept_as_numbers(sign_in: SignIn, shops: Database) -> None:
    owner, before = sign_in("店主林姐"), own(shops)
    for name, given, kept in (
        ("composite_weights", "5，2, 1", [5, 2, 1]),
        ("promo_peak_hours", "0,9", [0, 9]),
    ):
        page = f"/settings/thresholds/tea/{name}"
        owner.post(page, {"value": given})
        assert own(shops)[name] == kept  # type: ignore[index]
        assert given.replace("，", ",").replace(" ", "") in owner.get(page).content.decode()
        refused = text(owner.post(page, {"value": "5,b"}, follow=True).content)
        assert "不是这个设置的值" in refused
        assert own(shops)[name] == kept  # type: ignore[index]
        owner.post(page, {"back": "1"})
    assert own(shops) == before
