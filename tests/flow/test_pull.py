"""What no push brought is pulled: by windows, within the call budget, and again without any change."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

import pytest

from aftersale.intake import arrive
from aftersale.intake.pull import PullLimits
from tests.conftest import Database
from tests.flow.market import MarketDesk
from tests.flow.posts import applied, encoded
from tests.sandbox.running import START, Running, running

DAY = timedelta(days=1)
QUICK = PullLimits(pause_s=60.0, calls_per_s=2000.0)
LIST, GET, TRADE = "taobao.refunds.receive.get", "taobao.refund.get", "taobao.trade.fullinfo.get"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Running]:
    with running("--applications", "150", "--shops", "2", "--qps", "10000") as one:
        one.control.jump(START + timedelta(hours=20))
        yield one


@pytest.fixture
def market(embedded_database: Database, sandbox: Running) -> Iterator[MarketDesk]:
    desk = MarketDesk(embedded_database, sandbox, since=START - 3 * DAY)
    yield desk
    sandbox.control.faults({})
    desk.close()


def hurry(market: MarketDesk) -> None:
    """What waits for a push or a pause is due now."""
    market.conn.execute("UPDATE to_fetch SET due_at = now()")
    market.conn.execute("UPDATE pull_cursor SET next_pull_at = now()")
    market.conn.commit()


def pull_all(market: MarketDesk) -> None:
    puller = market.puller(QUICK)
    for _ in range(3):
        hurry(market)
        while puller.turn():
            pass
        while market.worker.turn():
            pass


def there(market: MarketDesk) -> list[tuple[str, int]]:
    return sorted((row["refund_id"], row["refund_version"]) for row in market.sandbox.control.applications())


def here(market: MarketDesk) -> list[tuple[str, int]]:
    return sorted(market.all("SELECT case_id, application_version FROM cases"))


def test_a_shop_without_pushes_knows_everything_by_pulling_alone(market: MarketDesk) -> None:
    pull_all(market)
    assert here(market) == there(market)
    assert len(here(market)) > 80
    assert market.one("SELECT count(*) FROM handling") == len(here(market))
    assert market.one("SELECT count(*) FROM orders WHERE paid_fen IS NULL") == 0
    assert market.all("SELECT * FROM to_fetch") == market.all("SELECT * FROM parked") == []


def test_a_second_pull_changes_nothing(market: MarketDesk) -> None:
    pull_all(market)
    counts = "SELECT (SELECT count(*) FROM arrival), (SELECT count(*) FROM decision), (SELECT count(*) FROM intent)"
    before, gets = market.one(counts), market.sandbox.control.calls().get(f"{GET} ok")
    market.conn.execute("UPDATE pull_cursor SET since = %s", (START - DAY,))
    pull_all(market)
    assert market.one(counts) == before
    assert market.sandbox.control.calls().get(f"{GET} ok") == gets


def test_the_cursor_goes_by_windows_of_at_most_a_day_and_ends_at_the_present(market: MarketDesk) -> None:
    puller, seen = market.puller(QUICK), [START - 3 * DAY]
    market.conn.execute("DELETE FROM pull_cursor WHERE shop_id <> %s", (market.shops["demo1"],))
    market.conn.commit()
    while puller._pull():
        seen.append(market.one("SELECT since FROM pull_cursor"))
    steps = [later - earlier for earlier, later in pairwise(seen)]
    assert seen[-1] == market.now
    assert max(steps) <= DAY - timedelta(minutes=2)
    assert len(steps) == 4
    assert puller._pull() == 0


def test_a_pull_that_is_cut_short_keeps_its_cursor(market: MarketDesk) -> None:
    market.sandbox.control.faults({"rules": [{"match": {"method": LIST}, "do": {"http_500": True}}]})
    puller = market.puller(QUICK)
    assert puller.turn() == 1
    assert market.all("SELECT DISTINCT since FROM pull_cursor") == [START - 3 * DAY]
    assert market.all("SELECT * FROM to_fetch") == []
    market.sandbox.control.faults({})
    pull_all(market)
    assert here(market) == there(market)


def test_what_the_platform_does_not_have_is_parked_and_what_fails_is_tried_again(market: MarketDesk) -> None:
    row = market.sandbox.control.applications()[0]
    market.conn.execute("DELETE FROM pull_cursor")
    market.conn.execute(
        "INSERT INTO to_fetch (shop_id, kind, external_id) VALUES (%(shop)s, 'application', '404'), (%(shop)s, 'application', %(id)s)",
        {"shop": market.shops[row["shop"]], "id": row["refund_id"]},
    )
    hurry(market)
    trouble = {"match": {"method": GET, "refund_id": row["refund_id"]}, "do": {"drop_after": True}}
    market.sandbox.control.faults({"rules": [trouble]})
    market.puller(QUICK).turn()
    assert market.one("SELECT source, place FROM parked") == ("fetch", "fetch application 404")
    assert market.one("SELECT external_id, tries, due_at > now() FROM to_fetch") == (
        row["refund_id"],
        1,
        True,
    )
    market.sandbox.control.faults({})
    hurry(market)
    market.puller(QUICK).turn()
    market.worker.turn()
    assert market.one("SELECT case_id FROM cases") == row["refund_id"]


def test_two_pullers_share_one_call_budget(market: MarketDesk) -> None:
    rows = market.sandbox.control.applications()[:40]
    market.conn.execute("DELETE FROM pull_cursor")
    for row in rows:
        values = (market.shops[row["shop"]], row["refund_id"])
        market.conn.execute(
            "INSERT INTO to_fetch (shop_id, kind, external_id) VALUES (%s, 'application', %s)", values
        )
    hurry(market)
    pullers = [market.puller(PullLimits(calls_per_s=50.0)) for _ in range(2)]
    threads = [threading.Thread(target=puller.turn) for puller in pullers]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - began >= 39 / 50
    assert market.one("SELECT count(*) FROM arrival") == 40
    assert (
        market.one("SELECT count(DISTINCT convert_from(body, 'UTF8')::json->>'refund_id') FROM arrival") == 40
    )
    assert market.one("SELECT count(*) FROM call_pace") == 1


def test_a_shop_whose_data_comes_as_files_is_not_pulled(market: MarketDesk) -> None:
    market.conn.execute("INSERT INTO to_fetch (shop_id, kind, external_id) VALUES (1, 'order', 'T1')")
    market.conn.execute("INSERT INTO pull_cursor (shop_id, kind, since) VALUES (1, 'refunds', %s)", (START,))
    pull_all(market)
    assert market.one("SELECT tries FROM to_fetch") == 0
    assert market.one("SELECT since FROM pull_cursor WHERE shop_id = 1") == START
    assert here(market) == there(market)


def test_a_hint_that_came_late_has_the_platform_asked_once_and_only_if_it_knows_more(
    market: MarketDesk,
) -> None:
    """F33: a replayed post is not believed, but what it names is fetched; when we know as much, nothing is."""
    pull_all(market)
    case_id, version = here(market)[0]
    gets = market.sandbox.control.calls().get(f"{GET} ok", 0)
    shop_id = market.one("SELECT shop_id FROM cases WHERE case_id = %s", case_id)
    for told in (version, version - 1, version + 1):
        late = applied(case_id=case_id, version=told, refund_fee="0.01")
        with market.conn.transaction():
            arrive.store(market.conn, [(shop_id, "taobao.late", encoded(late))])
        pull_all(market)
        assert market.one("SELECT application_version FROM cases WHERE case_id = %s", case_id) == version
    assert market.sandbox.control.calls().get(f"{GET} ok", 0) == gets + 1
    assert market.all("SELECT * FROM to_fetch") == []


def test_what_no_push_told_is_known_one_interval_later(market: MarketDesk) -> None:
    """F34: the next pull that is due finds it, however long the shop was silent before."""
    pull_all(market)
    market.conn.execute("DELETE FROM inbox")
    lost = here(market)[0][0]
    market.conn.execute(
        "UPDATE cases SET application_version = 0, state = 'applied' WHERE case_id = %s", (lost,)
    )
    market.conn.execute("UPDATE pull_cursor SET since = %s", (START,))
    market.conn.commit()
    puller = market.puller(QUICK)
    assert puller._pull() == 0, "the pause is not over"
    hurry(market)
    for _ in market.shops:
        assert puller._pull() == 1
    hurry(market)
    while puller._fetch():
        pass
    while market.worker.turn():
        pass
    assert here(market) == there(market)


def test_what_may_not_be_read_for_a_while_is_still_wanted(market: MarketDesk) -> None:
    row = market.sandbox.control.applications()[0]
    case_id = row["refund_id"]
    market.conn.execute(
        "INSERT INTO to_fetch (shop_id, kind, external_id, due_at)"
        " SELECT id, 'application', %s, now() FROM shop WHERE code = %s",
        (case_id, row["shop"]),
    )
    market.conn.commit()
    error = {"code": 11, "sub_code": "", "sub_msg": "Insufficient session permissions"}
    market.sandbox.control.faults({"rules": [{"match": {"method": GET}, "do": {"error": error}}]})
    puller = market.puller(QUICK)
    for _ in range(20):
        hurry(market)
        puller.turn()
    assert market.one("SELECT external_id FROM to_fetch WHERE external_id = %s", case_id) == case_id
    assert market.one("SELECT count(*) FROM parked WHERE place = %s", f"fetch application {case_id}") == 1
    market.sandbox.control.faults({})
    pull_all(market)
    assert case_id in [one for one, _ in here(market)]
