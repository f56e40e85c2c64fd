"""What a person writes to a buyer reaches the platform once, word for word, and not when it was taken back."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from aftersale.cases import actions
from aftersale.cases.casework.contacts import Counts, Ruling, Wish, contact
from aftersale.cases.casework.place import Place
from aftersale.connectors.outcome import Ok
from aftersale.connectors.taobao import refunds
from aftersale.core.refusal import Refusal
from tests.conftest import Database
from tests.flow.market import MarketDesk, Row, market_desk
from tests.flow.paying import fault, unshipped
from tests.sandbox.running import START, Running, running

WORDS = "亲，您的退款正在核实，今天18点前给您答复。"
ADD = "taobao.refund.message.add"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Running]:
    with running("--applications", "400", "--shops", "2", "--qps", "10000") as one:
        one.control.jump(START + timedelta(hours=10))
        yield one


@pytest.fixture
def market(embedded_database: Database, sandbox: Running) -> Iterator[MarketDesk]:
    with market_desk(embedded_database, sandbox) as desk:
        yield desk


def may(_found: Counts) -> Ruling:
    return Ruling()


def write(market: MarketDesk, row: Row, words: str, by: str = "客服小明") -> Refusal | None:
    place = Place(market.shops[row["shop"]], row["refund_id"], by, market.now)
    midnight: datetime = market.now - timedelta(hours=10)
    refusal = contact(market.conn, place, Wish("im", "进度", text=words), midnight, may)
    market.conn.commit()
    return refusal


def told(market: MarketDesk, row: Row) -> list[str]:
    answer = refunds.messages(market.sandbox.top(row["shop"]), row["refund_id"], "onsale")
    assert isinstance(answer, Ok)
    return [str(one["content"]) for one in refunds.rows_of(answer.body, "refund_messages", "refund_message")]


def send(market: MarketDesk) -> None:
    actor = market.actor()
    while actor.turn():
        pass


def rows(market: MarketDesk, count: int) -> list[Row]:
    found = unshipped(market, count)
    market.fetch(*(row["refund_id"] for row in found))
    return found


def test_words_arrive_once_after_the_time_to_take_them_back(market: MarketDesk) -> None:
    (row,) = rows(market, 1)
    assert write(market, row, WORDS) is None
    send(market)
    assert WORDS not in told(market, row)
    market.wait(seconds=31)
    send(market)
    send(market)
    assert told(market, row).count(WORDS) == 1
    again = write(market, row, WORDS)
    assert again is not None
    assert again.code == "already"
    assert write(market, row, WORDS + "谢谢。") is None


def test_words_whose_answer_was_lost_are_not_said_twice(market: MarketDesk) -> None:
    row = rows(market, 2)[1]
    fault(market, ADD, {"drop_after": True}, row)
    assert write(market, row, WORDS) is None
    market.wait(seconds=31)
    send(market)
    market.wait(minutes=5)
    send(market)
    assert told(market, row).count(WORDS) == 1


def test_words_taken_back_are_never_said(market: MarketDesk) -> None:
    row = rows(market, 3)[2]
    assert write(market, row, WORDS) is None
    (kind,) = market.all(
        "SELECT kind FROM intent WHERE kind LIKE 'message:said%%' AND case_id = %s", row["refund_id"]
    )
    shop_id = market.shops[row["shop"]]
    assert actions.undo(market.conn, shop_id, row["refund_id"], kind, "客服小明", market.now) is None
    market.conn.commit()
    market.wait(seconds=60)
    send(market)
    assert WORDS not in told(market, row)


def test_whoever_may_not_contact_writes_nothing(market: MarketDesk) -> None:
    row = rows(market, 4)[3]
    refused = write(market, row, WORDS, by="不在店里的人")
    assert refused is not None
    assert refused.code in ("role_or_action_unknown", "not_in_role")
    assert market.all("SELECT 1 FROM said WHERE case_id = %s", row["refund_id"]) == []
    assert (
        market.all("SELECT 1 FROM intent WHERE kind LIKE 'message:said%%' AND case_id = %s", row["refund_id"])
        == []
    )
