"""The webhook door over real HTTP: 2xx means that the body is on disk, and nothing else does."""

import http.client
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from aftersale.pg.connect import opened
from tests.conftest import Database
from tests.flow.desk import NOON, Desk
from tests.flow.posts import (
    CASE_ID,
    ORDER_ID,
    applied,
    door,
    encoded,
    open_to_pushes,
    post,
    signed,
    tmc,
    trace,
    trade,
)

BODIES = "SELECT count(*) FROM arrival"


@pytest.fixture
def desk(embedded_database: Database) -> Iterator[Desk]:
    made = Desk(embedded_database)
    yield made
    made.close()


@pytest.fixture
def url(desk: Desk) -> Iterator[str]:
    open_to_pushes(desk)
    with door(desk.database.app) as at:
        yield at


def test_a_signed_body_is_on_disk_when_it_is_acknowledged(desk: Desk, url: str) -> None:
    answer = post(url, "taobao", applied())
    assert (answer.status_code, answer.json()["result"]) == (200, True)
    assert desk.one("SELECT source, body FROM arrival") == ("taobao", encoded(applied()))
    assert desk.one("SELECT count(*) FROM arrival_todo") == 1


STRANGERS: list[tuple[str, str, int]] = [
    ("/hooks/taobao/wu", "POST", 404),
    ("/hooks/pinduoduo/ming", "POST", 404),
    ("/hooks/taobao.refund/ming", "POST", 404),
    ("/hooks/taobao/ming/x", "POST", 404),
    ("/hooks/taobao/ming", "GET", 405),
    ("/hooks/taobao/ming", "PUT", 405),
    ("/hello", "GET", 299),
]


def test_who_does_not_belong_here_is_sent_away(desk: Desk, url: str) -> None:
    for path, method, status in STRANGERS:
        headers, body = signed("taobao", encoded(applied()))
        answer = httpx2.request(method, url + path, headers=headers, content=body, trust_env=False)
        assert answer.status_code == status
        assert desk.one(BODIES) == 0


FORGED: list[tuple[dict[str, str], str]] = [
    ({"webhook-signature": "v1,AAAA"}, "bad_signature"),
    ({"webhook-signature": ""}, "unsigned"),
    ({"webhook-id": "m2"}, "bad_signature"),
    ({"webhook-timestamp": "abc"}, "bad_timestamp"),
    ({"webhook-timestamp": "1"}, "bad_signature"),
]


def test_a_wrong_signature_is_refused(desk: Desk, url: str) -> None:
    for changed, code in FORGED:
        headers, body = signed("taobao", encoded(applied()))
        answer = httpx2.post(
            f"{url}/hooks/taobao/ming", headers=headers | changed, content=body, trust_env=False
        )
        assert (answer.status_code, answer.json()["code"]) == (401, code)
        assert desk.one(BODIES) == 0


def test_an_old_post_is_refused_though_its_signature_fits(
    desk: Desk, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = time.time() - 301
    with monkeypatch.context() as past:
        past.setattr(time, "time", lambda: old)
        headers, body = signed("taobao", encoded(applied()))
    answer = httpx2.post(f"{url}/hooks/taobao/ming", headers=headers, content=body, trust_env=False)
    assert (answer.status_code, answer.json()["code"]) == (401, "stale")
    assert desk.one("SELECT source FROM arrival") == "taobao.late"
    open_to_pushes(desk).turn()
    assert desk.all("SELECT case_id FROM cases") == []
    assert desk.one("SELECT kind, external_id, version FROM to_fetch") == (
        "application",
        CASE_ID,
        1_794_758_408_000,
    )


def test_another_shops_secret_opens_nothing(desk: Desk, url: str) -> None:
    headers, body = signed("warehouse", encoded(applied()))
    answer = httpx2.post(f"{url}/hooks/taobao/ming", headers=headers, content=body, trust_env=False)
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_signature")
    form, param = signed("kuaidi100", encoded(trace("YT1")))
    forged = httpx2.post(f"{url}/hooks/kuaidi100/ming", headers=form, content=param + b"0", trust_env=False)
    assert forged.status_code == 401
    assert desk.one(BODIES) == 0


def _resident_kb() -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_of_50_mb_is_turned_away_and_not_kept(desk: Desk, url: str, chunked: bool) -> None:
    began, before_kb, chunk = time.monotonic(), _resident_kb(), b"0" * 1_000_000
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
    headers = {} if chunked else {"content-length": "50000000"}
    connection.request(
        "POST", "/hooks/taobao/ming", (chunk for _ in range(50)), headers, encode_chunked=chunked
    )
    answer = connection.getresponse()
    assert answer.status == 413
    assert b"10 MB" in answer.read()
    connection.close()
    assert time.monotonic() - began < 10
    assert _resident_kb() - before_kb < 64_000
    assert desk.one(BODIES) == 0


def test_ten_megabytes_are_let_in_and_one_byte_more_is_not(desk: Desk, url: str) -> None:
    assert post(url, "taobao", b" " * 10_000_000).status_code == 200
    assert post(url, "taobao", b" " * 10_000_001).status_code == 413
    assert desk.one("SELECT length(body) FROM arrival") == 10_000_000


def test_a_couriers_form_finds_its_order_when_that_comes_later(desk: Desk, url: str) -> None:
    worker = open_to_pushes(desk)
    assert post(url, "kuaidi100", trace("YT77")).status_code == 200
    worker.turn()
    assert desk.one("SELECT tracking_no, tracking_state FROM parcel") == ("YT77", "in_transit")
    assert desk.one("SELECT count(*) FROM cases") == 0
    shipped = trade(status="WAIT_BUYER_CONFIRM_GOODS", consign_time="2026-11-11 11:20:00")
    shipped["orders"]["order"][0] |= {"invoice_no": "YT77", "logistics_company": "韵达"}
    post(
        url,
        "taobao",
        [applied(order_status="WAIT_BUYER_CONFIRM_GOODS"), tmc("trade_TradeShip", {"trade": shipped})],
    )
    worker.turn()
    assert desk.one("SELECT order_id, tracking_state FROM case_facts") == (ORDER_ID, "in_transit")
    assert desk.one("SELECT action FROM handling") == "intercept_courier"


def test_the_same_body_twice_changes_one_case_once(desk: Desk, url: str) -> None:
    worker = open_to_pushes(desk)
    both = [applied(), tmc("trade_TradePaid", {"trade": trade()}, 2)]
    assert [post(url, "taobao", both).status_code for _ in range(2)] == [200, 200]
    worker.turn()
    worker.turn()
    assert desk.one(BODIES) == 2
    assert desk.one("SELECT count(*) FROM arrival_todo") == 0
    assert desk.all("SELECT external_id FROM inbox ORDER BY 1") == ["1700000000000000001", ORDER_ID]
    assert desk.one("SELECT count(*) FROM decision") == 1
    assert desk.one("SELECT kind, amount_fen FROM intent WHERE money") == ("agree_refund", 1230)


def test_a_hundred_in_one_body_and_many_bodies_at_once(desk: Desk, url: str) -> None:
    worker = open_to_pushes(desk)
    assert post(url, "taobao", [applied(case_id=str(10**17 + n)) for n in range(100)]).status_code == 200
    statuses: list[int] = []

    def send(first: int) -> None:
        for n in range(first, first + 10):
            statuses.append(post(url, "taobao", applied(case_id=str(n))).status_code)

    threads = [threading.Thread(target=send, args=(10**18 + 10 * n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 80
    assert desk.one(BODIES) == 81
    while worker.turn():
        pass
    assert desk.one("SELECT count(*) FROM cases") == 180
    assert desk.one("SELECT count(*) FROM handling") == 180


def _away(database: Database, desk: Desk) -> psycopg.Connection:
    """The application gets in no more, and the door's connections are cut; the owner's connection to undo it."""
    owner = opened(database.owner, autocommit=True)
    name = str(conninfo_to_dict(database.owner)["dbname"])
    owner.execute(f"REVOKE CONNECT ON DATABASE {name} FROM PUBLIC, aftersale_app")
    desk.all("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'door'")
    return owner


def test_without_its_database_the_door_acknowledges_nothing_and_comes_back(desk: Desk, url: str) -> None:
    assert post(url, "taobao", applied()).status_code == 200
    with _away(desk.database, desk) as owner:
        down = post(url, "taobao", applied(case_id="2"))
        assert (down.status_code, down.json()["code"]) == (503, "down")
        name = str(conninfo_to_dict(desk.database.owner)["dbname"])
        owner.execute(f"GRANT CONNECT ON DATABASE {name} TO aftersale_app")
        assert desk.one(BODIES) == 1
        assert post(url, "taobao", applied(case_id="2")).status_code == 200
        assert desk.one(BODIES) == 2


def test_a_door_that_never_saw_its_database_says_so_and_not_that_the_shop_is_unknown(desk: Desk) -> None:
    open_to_pushes(desk)
    with _away(desk.database, desk), door(desk.database.app) as url:
        assert post(url, "taobao", applied()).status_code == 503
    assert desk.one(BODIES) == 0


def test_a_relay_that_waits_for_its_turn_is_not_read_at_the_door(desk: Desk, url: str) -> None:
    post(url, "taobao", b"{]")
    assert desk.one("SELECT body FROM arrival") == b"{]"
    worker = open_to_pushes(desk)
    worker.turn()
    assert desk.one("SELECT source, why FROM parked")[0] == "taobao"
    assert desk.one("SELECT count(*) FROM arrival_todo") == 0
    assert desk.now == NOON
