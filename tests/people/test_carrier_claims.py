"""Parcels on their way back and claims against couriers, over HTTP against a real database."""

import html
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urljoin

import psycopg
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from aftersale.people.accounts import ensure_user
from tests.conftest import Database
from tests.people.conftest import PASSWORD
from tests.people.shops import NOON, case_id, stand_still

SignIn = Callable[[str], Client]
AGENT, LEAD, STOCK, MONEY, STRANGER = "客服小明", "主管阿兰", "仓库老李", "财务小周", "外人老吴"
STOPPED = [f"SF130000{number:04d}" for number in (14, 30, 46)]  # 青山茶铺: being stopped since 09:00
BAD_AMOUNTS = [
    "0",
    "-1",
    "-0.01",
    "1e3",
    "NaN",
    "inf",
    "148.001",
    "١٢",
    "１２",
    "1,000",
    "0x10",
    "¥5",
    "99999999999999999999",
]


def text(page: bytes) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.decode()))


def asked(shops: Database, query: str, *values: object) -> list[tuple[object, ...]]:
    with psycopg.connect(shops.owner) as conn:
        return conn.execute(query, values).fetchall()


def change(shops: Database, query: str, *values: object) -> None:
    with psycopg.connect(shops.owner) as conn:
        conn.execute(query, values)


def at(shops: Database, moment: datetime) -> None:
    with psycopg.connect(shops.owner) as conn:
        stand_still(conn, moment)


@pytest.fixture(scope="module")
def desk(shops: Database) -> Database:
    ensure_user(STOCK, PASSWORD, {"tea": "warehouse"})
    ensure_user(MONEY, PASSWORD, {"tea": "finance"})
    return shops


@pytest.fixture(autouse=True)
def noon(desk: Database) -> None:
    at(desk, NOON)


def listed(client: Client, query: str = "?shop=tea") -> list[str]:
    return re.findall(r'id="parcel-(\w+)"', client.get(f"/work-orders/parcels{query}").content.decode())


def test_stopped_parcels_are_followed_until_they_are_back(desk: Database, sign_in: SignIn) -> None:
    agent = sign_in(AGENT)
    assert listed(agent) == STOPPED
    page = text(agent.get("/work-orders/parcels?shop=tea").content)
    assert "等快递确认拦截" in page
    assert (
        "2天15小时" in page
    )  # the sooner of 72 h after the request at 09:00 and 72 h after the last trace at 03:00
    assert listed(agent, "?shop=tea&show=silent") == []
    at(desk, NOON + timedelta(hours=64))
    assert listed(agent, "?shop=tea&show=silent") == STOPPED
    assert "催快递" in text(agent.get("/work-orders/parcels?shop=tea").content)
    at(desk, NOON)
    change(
        desk,
        "UPDATE parcel SET inbound_success = true, inbound_at = %s WHERE tracking_no = %s",
        NOON,
        STOPPED[0],
    )
    assert listed(agent) == STOPPED[1:]
    assert asked(desk, "SELECT ended FROM parcel_back WHERE tracking_no = %s", STOPPED[0]) == [("inbound",)]
    taken = agent.post("/export/parcels_back.csv?shop=tea").content.decode("utf-8-sig")
    assert [line.split(",")[0] for line in taken.splitlines()[1:]] == STOPPED[1:]
    assert "等快递确认拦截" in taken
    change(desk, "UPDATE parcel SET tracking_state = 'returning' WHERE tracking_no = %s", STOPPED[1])
    assert listed(agent, "?shop=tea&way=returning") == [STOPPED[1]]
    assert listed(agent, "?shop=tea&way=intercepted") == [STOPPED[2]]


def test_a_parcel_is_asked_after_once_a_day(desk: Database, sign_in: SignIn) -> None:
    agent, mine = sign_in(AGENT), STOPPED[2]
    [(version,)] = asked(desk, "SELECT version FROM parcel_back WHERE tracking_no = %s", mine)
    seen = {"version": version, "note": "网点说今晚退"}
    agent.post(f"/work-orders/parcels/tea/{mine}/followed", seen)
    assert mine not in listed(agent, "?shop=tea&show=unfollowed")
    assert "客服小明 11-11 12:00：网点说今晚退" in text(agent.get("/work-orders/parcels?shop=tea").content)
    second = sign_in(LEAD).post(f"/work-orders/parcels/tea/{mine}/followed", seen, follow=True)
    assert "客服小明 在 11-11 12:00 已经先处理" in text(second.content)
    assert (second.status_code, 'value="网点说今晚退"' in second.content.decode()) == (422, True)
    filtered = {**seen, "note": "还是没有 <b>", "back": "/work-orders/parcels?shop=tea&way=intercepted"}
    again = sign_in(LEAD).post(f"/work-orders/parcels/tea/{mine}/followed", filtered).content.decode()
    assert again.count('value="还是没有 &lt;b&gt;"') == 1
    assert again.count('<details class="wo-do" open>') == 1
    at(desk, NOON + timedelta(hours=13))
    assert mine in listed(agent, "?shop=tea&show=unfollowed")
    assert sign_in(MONEY).post(f"/work-orders/parcels/tea/{mine}/followed", seen).status_code == 403
    stranger = sign_in(STRANGER)
    assert stranger.post(f"/work-orders/parcels/tea/{mine}/lost", seen).status_code == 404
    assert mine not in text(stranger.get("/work-orders/parcels").content)


LOST = "SF1300000062"
CLAIM = "SELECT state, accepted_fen, paid_fen, due_at FROM carrier_claim"


@pytest.fixture
def lost(desk: Database) -> dict[str, str]:
    """The form's words for a parcel on its way whose goods are worth ¥148.00."""
    change(
        desk,
        "INSERT INTO parcel (shop_id, tracking_no, courier, tracking_state)"
        " VALUES (1, %s, 'shunfeng', 'in_transit')",
        LOST,
    )
    change(
        desk,
        "UPDATE orders SET tracking_no = %s, item_value_fen = 14800 WHERE shop_id = 1 AND order_id ="
        " (SELECT order_id FROM cases WHERE shop_id = 1 AND case_id = %s)",
        LOST,
        case_id(1, 14),
    )
    return {"waybill": LOST, "kind": "lost"}


def test_a_lost_parcel_is_claimed_answered_and_paid(
    desk: Database, sign_in: SignIn, lost: dict[str, str]
) -> None:
    claimed_once_and_for_no_more_than_it_was_worth(desk, sign_in, lost)
    at(desk, NOON + timedelta(days=8))
    assert "全部 1 超时 1" in text(sign_in(AGENT).get("/work-orders/claims").content)
    answered_and_paid_once(desk, sign_in)


def claimed_once_and_for_no_more_than_it_was_worth(
    desk: Database, sign_in: SignIn, query: dict[str, str]
) -> None:
    agent = sign_in(AGENT)
    before = text(agent.get("/work-orders/claims/tea/new", query).content)
    assert "现在还不能向快递索赔" in before
    assert "还没有认定丢件" in before
    agent.post("/work-orders/claims/tea/new", {**query, "asked": "148.00"})
    assert asked(desk, "SELECT count(*) FROM carrier_claim") == [(0,)]

    sure = {**query, "declared": "1"}
    assert "最多可以追回 ¥148.00" in text(agent.get("/work-orders/claims/tea/new", sure).content)
    for bad in [*BAD_AMOUNTS, "148.01", "", " "]:
        agent.post("/work-orders/claims/tea/new", {**sure, "asked": bad})
        assert asked(desk, "SELECT count(*) FROM carrier_claim") == [(0,)], bad
    agent.post("/work-orders/claims/tea/new", {**sure, "asked": "148.00"})
    agent.post("/work-orders/claims/tea/new", {**sure, "asked": "148.00"})
    [(state, fen, due)] = asked(desk, "SELECT state, asked_fen, due_at FROM carrier_claim")
    assert (state, fen, due) == ("filed", 14800, NOON + timedelta(days=7))


def answered_and_paid_once(desk: Database, sign_in: SignIn) -> None:
    agent = sign_in(AGENT)
    [(claim,)] = asked(desk, "SELECT id FROM carrier_claim")
    address = f"/work-orders/claims/tea/{claim}"
    assert sign_in(AGENT).post(f"{address}/paid", {"version": 1, "amount": "1"}).status_code == 403
    agent.post(f"{address}/accepted", {"version": 1, "amount": "100.00"})
    accepted = NOON + timedelta(days=38)
    assert asked(desk, CLAIM) == [("accepted", 10000, None, accepted)]
    stale = agent.post(f"{address}/refused", {"version": 1, "note": "x"}, follow=True)
    assert "客服小明 在 11-19 12:00 已经先处理" in text(stale.content)
    above = sign_in(MONEY).post(f"{address}/paid", {"version": 2, "amount": "148.01", "note": "写好的"})
    page = above.content.decode()
    assert (above.status_code, page.count('value="148.01"'), page.count('value="写好的"')) == (422, 1, 1)
    for bad in [*BAD_AMOUNTS, "148.01", ""]:
        sign_in(MONEY).post(f"{address}/paid", {"version": 2, "amount": bad})
        assert asked(desk, CLAIM) == [("accepted", 10000, None, accepted)], bad
    sign_in(MONEY).post(f"{address}/paid", {"version": 2, "amount": "100.00"})
    assert asked(desk, CLAIM) == [("paid", 10000, 10000, None)]
    page = sign_in(MONEY).get("/work-orders/claims")
    assert "2026-11 顺丰 1 ¥148.00 ¥100.00" in text(page.content)
    rows = (
        sign_in(MONEY).get("/work-orders/claims?state=paid&courier=shunfeng&month=2026-11").content.decode()
    )
    assert re.findall(r'id="claim-(\d+)"', rows) == [str(claim)]
    other = (
        sign_in(MONEY).get("/work-orders/claims?state=paid&courier=shunfeng&month=2026-10").content.decode()
    )
    assert 'id="claim-' not in other
    assert "1 ¥148.00" not in text(sign_in(STRANGER).get("/work-orders/claims").content)
    with psycopg.connect(desk.app) as conn, pytest.raises(psycopg.errors.RaiseException, match="no edge"):
        conn.execute(
            "UPDATE carrier_claim SET state = 'filed', accepted_fen = NULL, paid_fen = NULL, paid_at = NULL, due_at = now()"
        )


def test_the_shop_s_agreement_with_its_courier_counts(desk: Database, sign_in: SignIn) -> None:
    agent, query = sign_in(AGENT), {"waybill": STOPPED[2], "kind": "damaged"}
    free = text(agent.get("/work-orders/claims/tea/new", query).content)
    assert "最多可以追回 ¥158.00" in free
    assert "破损处近照" in free
    change(desk, """UPDATE shop SET settings = settings || '{"claim_uninsured_max": 5000}' WHERE id = 1""")
    assert "最多可以追回 ¥50.00" in text(agent.get("/work-orders/claims/tea/new", query).content)
    insured = text(agent.get("/work-orders/claims/tea/new", {**query, "insured": "120.00"}).content)
    assert "最多可以追回 ¥120.00" in insured
    change(desk, "UPDATE shop SET settings = settings - 'claim_uninsured_max' WHERE id = 1")
    change(desk, "UPDATE cases SET fault = 'buyer' WHERE shop_id = 1 AND case_id = %s", case_id(1, 46))
    assert "不是快递的责任" in text(agent.get("/work-orders/claims/tea/new", query).content)
    assert sign_in(MONEY).get("/work-orders/claims/tea/new", query).status_code == 403
    assert sign_in(STRANGER).get("/work-orders/claims/tea/new", query).status_code == 404


def links(answer: Any) -> set[str]:
    """Where the page's own list leads, and where it is read in another language, for a browser that was sent to it."""
    page = html.unescape(answer.content.decode())
    found = re.findall(r'href="([^"]*)"', page) + re.findall(r'name="next" value="([^"]*)"', page)
    return {
        urljoin(answer.wsgi_request.get_full_path(), one)
        for one in found
        if one.startswith(("?", "/work-orders/"))
    }


def dead(client: Client, answer: Any) -> list[str]:
    return sorted(one for one in links(answer) if client.get(one).status_code != 200)


def taken(answer: Any) -> list[str]:
    """Under which filters the page's lists are taken away."""
    return re.findall(r'action="/export/\w+\.csv\?([^"]*)"', html.unescape(answer.content.decode()))


def test_a_parcel_s_refused_note_stands_in_the_list_it_was_written_in(
    desk: Database, sign_in: SignIn
) -> None:
    agent, mine = sign_in(AGENT), STOPPED[2]
    change(
        desk,
        "UPDATE parcel_back SET followed_at = NULL, followed_by = NULL, note = NULL WHERE tracking_no = %s",
        mine,
    )
    here = "/work-orders/parcels?shop=tea&show=unfollowed"
    assert mine in listed(agent, "?shop=tea&show=unfollowed")
    [(version,)] = asked(desk, "SELECT version FROM parcel_back WHERE tracking_no = %s", mine)
    form = {"version": version, "note": "网点说明天退", "back": here}
    first = sign_in(LEAD).post(f"/work-orders/parcels/tea/{mine}/followed", form)
    assert (first.status_code, first["Location"]) == (302, here)
    refused = agent.post(f"/work-orders/parcels/tea/{mine}/followed", {**form, "note": "我也问过了"})
    page = refused.content.decode()
    assert (refused.status_code, page.count('value="我也问过了"')) == (422, 1)
    assert re.findall(r'id="parcel-(\w+)"', page)[0] == mine
    assert mine not in listed(agent, "?shop=tea&show=unfollowed")
    assert (dead(agent, refused), taken(refused)) == ([], ["shop=tea&show=unfollowed"])
    assert f'name="next" value="{here}"' in html.unescape(page)


def test_a_claim_s_refused_answer_stands_in_the_list_it_was_written_in(
    desk: Database, sign_in: SignIn
) -> None:
    agent = sign_in(AGENT)
    change(
        desk,
        "INSERT INTO carrier_claim (shop_id, tracking_no, courier, kind, rule, most_fen, asked_fen, filed_by, filed_at,"
        " due_at, pay_days, changed_by, changed_at) SELECT 2, 'SF9' || n, 'shunfeng', 'lost', 'r', 10000, 10000, '客服小明',"
        " at, at + n * interval '1 hour', 7, '客服小明', at FROM generate_series(1, 60) n, (SELECT %s::timestamptz) m (at)",
        NOON,
    )
    here = "/work-orders/claims?state=filed&page=2"
    [*_rest, claim] = re.findall(r'id="claim-(\d+)"', agent.get(here).content.decode())
    address = f"/work-orders/claims/snack/{claim}"
    form = {"version": 1, "amount": "100.01", "note": "快递说赔一半", "back": here}
    refused = agent.post(f"{address}/accepted", form)
    page = refused.content.decode()
    assert (refused.status_code, page.count('value="100.01"'), page.count('value="快递说赔一半"')) == (
        422,
        1,
        1,
    )
    assert (dead(agent, refused), taken(refused)) == ([], ["state=filed&page=2"])
    assert f'name="next" value="{here}"' in html.unescape(page)
    answered = agent.post(f"{address}/accepted", {**form, "amount": "50.00"})
    assert (answered.status_code, answered["Location"]) == (302, here)
    late = agent.post(f"{address}/refused", {**form, "note": "又说不赔"})
    page = late.content.decode()
    assert (late.status_code, page.count('value="又说不赔"')) == (422, 1)
    assert re.findall(r'id="claim-(\d+)"', page)[0] == claim
    elsewhere = agent.post(
        f"{address}/refused", {**form, "note": "", "back": "https://example.com/?state=paid"}
    )
    assert (elsewhere.status_code, "example.com" in elsewhere.content.decode()) == (422, False)
    gone = agent.post(f"{address}/refused", {**form, "version": 2, "back": "https://example.com/"})
    assert (gone.status_code, gone["Location"]) == (302, "/work-orders/claims")


def test_a_refused_claim_keeps_what_was_typed(desk: Database, sign_in: SignIn) -> None:
    agent, query = sign_in(AGENT), {"waybill": STOPPED[2], "kind": "damaged"}
    change(desk, "UPDATE cases SET fault = NULL WHERE shop_id = 1 AND case_id = %s", case_id(1, 46))
    refused = agent.post("/work-orders/claims/tea/new", {**query, "asked": "99999.00", "note": "外箱破了"})
    page = refused.content.decode()
    assert (page.count('value="99999.00"'), page.count('value="外箱破了"')) == (1, 1)
    [again] = [one for one in links(refused) if "waybill" in one]
    assert 'value="SF1300000046"' in agent.get(again).content.decode()


def test_more_shops_are_no_more_questions_to_the_database(desk: Database, sign_in: SignIn) -> None:
    ensure_user("店主阿青", PASSWORD, {"tea": "owner"})
    ensure_user("店主阿山", PASSWORD, {"tea": "owner", "snack": "owner", "wu": "owner"})

    def questions(who: str) -> int:
        client = sign_in(who)
        client.get("/work-orders/parcels")
        with CaptureQueriesContext(connection) as found:
            assert client.get("/work-orders/parcels").status_code == 200
        return len(found)

    assert questions("店主阿青") == questions("店主阿山")
