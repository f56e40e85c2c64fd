"""Of a buyer's number the last four digits are kept, and nothing of it anywhere else."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from aftersale.connectors.outcome import Ok
from aftersale.connectors.phone import phone_tail, without_numbers
from aftersale.connectors.taobao import refunds
from aftersale.core.records import Order
from aftersale.intake.files.cells import tail
from tests.conftest import Database
from tests.flow.desk import Desk, order
from tests.flow.market import market_desk
from tests.flow.posts import ORDER_ID, applied, door, open_to_pushes, post, tmc, trade
from tests.holding import tables_with
from tests.sandbox.running import START, Running, running

NUMBER = "13812345678"
CIPHER = "~AgAAAB4k13812345678/pQ==~1~"


@pytest.fixture
def desk(embedded_database: Database) -> Iterator[Desk]:
    made = Desk(embedded_database)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (NUMBER, "5678"),
        ("138****5678", "5678"),
        ("*******5678", "5678"),
        ("+86 138 1234 5678", "5678"),
        ("86-13812345678", "5678"),
        ("0571-88886666", "6666"),
        (" 13812345678 ", "5678"),
        (CIPHER, None),
        ("$138$Cd8fGh==$1$", None),
        ("13812345678-9012", None),  # the platform's relay: the extension is not the buyer's number
        ("5678", None),
        ("138****", None),
        ("１３８１２３４５６７８", None),
        ("无", None),
        ("", None),
        (None, None),
    ],
)
def test_what_a_number_tells(written: str | None, told: str | None) -> None:
    assert phone_tail(written) == told


def test_a_cell_of_a_sheet_tells_the_same() -> None:
    cells = (
        "'13812345678",
        '="13812345678"',
        13812345678,
        13812345678.0,
        "138****5678",
        CIPHER,
        "--",
        None,
        True,
    )
    assert [tail(cell) for cell in cells] == ["5678"] * 5 + [None] * 4


def test_bodies_stay_what_they_are_but_for_the_number() -> None:
    assert (
        without_numbers(b'{"receiver_mobile":"13812345678","x":1}')
        == b'{"receiver_mobile":"*******5678","x":1}'
    )
    assert without_numbers(b'{"receiver_phone" : 13812345678}') == b'{"receiver_phone" : null}'
    nested = b'{"content":"{\\"receiver_mobile\\":\\"13812345678\\",\\"x\\":\\"y\\"}"}'
    assert without_numbers(nested) == nested.replace(b"1381234", b"*******")
    assert without_numbers(b'{"receiver_mobile":"\\u0031\\/3812345678"}') == b'{"receiver_mobile":""}'
    said = b'{"desc":"receiver_mobile\\":\\"","reason":"a","receiver_state":"b"}'
    assert without_numbers(said) == said


def test_a_pushed_number_is_cut_before_it_is_stored(desk: Desk) -> None:
    worker = open_to_pushes(desk)
    bodies = [
        tmc("trade_TradeBuyerPay", {"trade": trade(receiver_mobile=NUMBER, receiver_phone=NUMBER)}, 1),
        tmc("trade_TradeBuyerPay", {"trade": trade("3100000000000000009", receiver_mobile=CIPHER)}, 2),
        tmc("trade_TradeBuyerPay", {"trade": trade("31", receiver_mobile=NUMBER, payment="nothing")}, 3),
    ]
    with door(desk.database.app) as url:
        assert [post(url, "taobao", one).status_code for one in (*bodies, applied())] == [200] * 4
    while worker.turn():
        pass
    found = desk.all("SELECT order_id, phone_tail FROM orders ORDER BY 1")
    assert found == [(ORDER_ID, "5678"), ("3100000000000000009", None)]
    assert desk.one("SELECT count(*) FROM parked") == 1
    assert tables_with(desk.database.owner, NUMBER) == set()
    assert tables_with(desk.database.owner, "*******5678") == {"arrival", "parked"}


def test_a_tail_stays_when_it_is_no_longer_told(desk: Desk) -> None:
    desk.tell(order(version=1, phone_tail="5678"))
    desk.tell(order(version=2))
    assert desk.one("SELECT order_version, phone_tail FROM orders") == (2, "5678")
    desk.tell(Order("T1", 3, phone_tail="0001"))
    assert desk.one("SELECT order_version, phone_tail FROM orders") == (3, "0001")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Running]:
    with running("--applications", "60", "--shops", "1", "--qps", "10000") as one:
        one.control.jump(START + timedelta(hours=20))
        yield one


def test_the_sandbox_tells_tails_over_its_wire(embedded_database: Database, sandbox: Running) -> None:
    rows = sandbox.control.applications()
    tids = sorted({str(row["tid"]) for row in rows})
    with market_desk(embedded_database, sandbox) as market:
        market.fetch(*(row["refund_id"] for row in rows))
        answers = [refunds.trade(sandbox.top(), tid) for tid in tids]
        told = [phone_tail(one.body["receiver_mobile"]) for one in answers if isinstance(one, Ok)]
        found = market.all("SELECT order_id, phone_tail FROM orders ORDER BY 1")
    assert found == list(zip(tids, told, strict=True))
    assert None in told
    assert len({one for one in told if one}) > 10
