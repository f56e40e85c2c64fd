"""A refusal of which nobody knows whether it was said: it ends, it blocks nothing for ever, and its words stay."""

import pytest

from aftersale.act.run import Actor
from aftersale.cases import actions
from aftersale.cases.casework.evidence import remove_evidence
from aftersale.cases.casework.place import Place
from aftersale.connectors.outcome import Ok
from aftersale.connectors.taobao import refunds
from tests.flow.market import MarketDesk, Row
from tests.flow.paying import calls, fault
from tests.flow.test_refuse import (
    MESSAGES,
    REFUSE,
    WORDS,
    agree_there,
    market,
    refusable,
    refuse,
    sandbox,
    state,
    there,
    turns,
)

__all__ = ["market", "sandbox"]

OTHER_WORDS = "亲，换一个说法，没法同意。"
FORBIDDEN = {"code": 11, "sub_code": "isv.permission-api-package-limit", "sub_msg": "没有权限"}
INTENT = "SELECT state, outcome FROM intent WHERE kind = 'refuse' AND case_id = %s ORDER BY platform_version"


def lost(market: MarketDesk, trouble: str) -> tuple[Row, Actor]:
    """A refusal that was sent and whose answer was lost, and who sent it."""
    row = refusable(market)
    assert refuse(market, row) is None
    market.wait(seconds=31)
    fault(market, REFUSE, {trouble: True}, row)
    actor = market.actor()
    actor.turn()
    assert state(market, row) == "unknown"
    market.sandbox.control.faults({})
    return row, actor


def version_there(market: MarketDesk, row: Row) -> int:
    answer = refunds.detail(market.sandbox.top(row["shop"]), row["refund_id"])
    assert isinstance(answer, Ok)
    return int(answer.body["refund_version"])


def test_what_the_platform_will_not_say_goes_to_a_person_and_blocks_no_other(market: MarketDesk) -> None:
    row, actor = lost(market, "drop_after")
    agree_there(market, row, version_there(market, row))
    fault(market, MESSAGES, {"error": FORBIDDEN}, row)
    actor.turn()
    told = "no_answer isv.permission-api-package-limit 没有权限"
    assert market.all(INTENT, row["refund_id"]) == [("with_person", told)]
    assert market.one("SELECT case_id, queue FROM queue_item") == (row["refund_id"], "platform_refused")
    sent = calls(market, REFUSE)
    turns(market)
    assert (state(market, row), calls(market, REFUSE)) == ("with_person", sent)
    market.fetch(row["refund_id"])
    market.conn.execute("UPDATE cases SET state = 'return_shipped' WHERE case_id = %s", (row["refund_id"],))
    market.conn.commit()
    row = {**row, "refund_version": version_there(market, row)}
    assert refuse(market, row, message=OTHER_WORDS) is None
    words = "SELECT message FROM refusing WHERE case_id = %s ORDER BY platform_version"
    assert market.all(words, row["refund_id"]) == [WORDS, OTHER_WORDS]


def test_a_question_that_fails_for_now_is_asked_again(market: MarketDesk) -> None:
    row, actor = lost(market, "drop_after")
    agree_there(market, row, version_there(market, row))
    fault(market, MESSAGES, {"http_500": True}, row)
    actor.turn()
    assert state(market, row) == "unknown"
    market.sandbox.control.faults({})
    turns(market)
    assert (state(market, row), there(market, row)) == ("done", ("WAIT_BUYER_RETURN_GOODS", 1))


def talk(market: MarketDesk, row: Row, count: int) -> None:
    for number in range(count):
        answer = refunds.message(market.sandbox.top(row["shop"]), row["refund_id"], f"第 {number} 句", b"")
        assert isinstance(answer, Ok)


@pytest.mark.parametrize(("before", "after"), [(120, 0), (0, 120), (99, 101), (210, 105)])
def test_its_words_are_found_among_hundreds(market: MarketDesk, before: int, after: int) -> None:
    row = refusable(market)
    talk(market, row, before)
    assert refuse(market, row) is None
    market.wait(seconds=31)
    fault(market, REFUSE, {"drop_after": True}, row)
    actor = market.actor()
    actor.turn()
    talk(market, row, after)
    agree_there(market, row, version_there(market, row))
    asked = calls(market, MESSAGES)
    turns(market)
    assert (state(market, row), there(market, row)) == ("done", ("WAIT_BUYER_RETURN_GOODS", 1))
    assert calls(market, MESSAGES) - asked <= 4


def test_what_is_in_none_of_hundreds_was_not_said(market: MarketDesk) -> None:
    row, actor = lost(market, "drop_before")
    talk(market, row, 250)
    agree_there(market, row, version_there(market, row))
    actor.turn()
    [(ended, why)] = market.all(INTENT, row["refund_id"])
    assert (ended, there(market, row)) == ("refused", ("WAIT_BUYER_RETURN_GOODS", 0))
    assert "WAIT_BUYER_RETURN_GOODS" in why


def test_what_was_not_read_to_the_end_is_not_called_unsaid(market: MarketDesk) -> None:
    row = refusable(market)
    talk(market, row, 105)
    assert refuse(market, row) is None
    market.wait(seconds=31)
    fault(market, REFUSE, {"drop_after": True}, row)
    actor = market.actor()
    actor.turn()
    talk(market, row, 505)
    agree_there(market, row, version_there(market, row))
    asked = calls(market, MESSAGES)
    actor.turn()
    [(ended, why)] = market.all(INTENT, row["refund_id"])
    assert (ended, "没有读全" in why) == ("with_person", True)
    assert calls(market, MESSAGES) - asked == 6


def test_words_that_may_have_been_said_are_not_taken_back(market: MarketDesk) -> None:
    row = refusable(market)
    shop_id = market.shops[row["shop"]]

    def undone() -> str:
        refusal = actions.undo(market.conn, shop_id, row["refund_id"], "refuse", "客服小明", market.now)
        market.conn.commit()
        return refusal.code if refusal else ""

    assert refuse(market, row) is None
    market.wait(seconds=31)
    fault(market, REFUSE, {"drop_before": True}, row, nth=1)
    actor = market.actor()
    actor.turn()
    assert (state(market, row), undone()) == ("unknown", "too_late")
    actor._sweep()
    assert (state(market, row), undone()) == ("approved", "too_late")
    again = refuse(market, row, message=OTHER_WORDS)
    assert again is not None
    assert again.code == "already"
    limited = {"code": 7, "sub_code": "isp.call-limited", "sub_msg": "This ban will last for 1 more seconds"}
    fault(market, REFUSE, {"error": limited}, row)
    actor.turn()
    assert (state(market, row), undone()) == ("approved", "too_late")
    assert market.one("SELECT sends FROM intent WHERE kind = 'refuse'") == 2
    market.sandbox.control.faults({})
    market.wait(minutes=5)
    turns(market)
    assert (state(market, row), there(market, row)) == ("done", ("SELLER_REFUSE_BUYER", 1))
    assert market.all("SELECT message FROM refusing") == [WORDS]
    assert undone() == "too_late"


def test_what_the_platform_put_off_can_still_be_taken_back(market: MarketDesk) -> None:
    row = refusable(market)
    assert refuse(market, row) is None
    market.wait(seconds=31)
    limited = {"code": 7, "sub_code": "isp.call-limited", "sub_msg": "This ban will last for 1 more seconds"}
    fault(market, REFUSE, {"error": limited}, row)
    market.actor().turn()
    assert market.one("SELECT state, sends FROM intent WHERE kind = 'refuse'") == ("approved", 1)
    shop_id = market.shops[row["shop"]]
    assert actions.undo(market.conn, shop_id, row["refund_id"], "refuse", "客服小明", market.now) is None
    market.conn.commit()
    market.sandbox.control.faults({})
    market.wait(minutes=5)
    turns(market)
    assert there(market, row) == ("WAIT_SELLER_AGREE", 0)


def test_what_is_decided_anew_after_the_platform_said_no_can_be_taken_back(market: MarketDesk) -> None:
    row, actor = lost(market, "drop_before")
    actor._sweep()
    assert state(market, row) == "approved"
    cannot = {"code": 15, "sub_code": "isv.refund-cannot-refuse", "sub_msg": "此申请不支持拒绝"}
    fault(market, REFUSE, {"error": cannot}, row)
    actor.turn()
    assert state(market, row) == "refused"
    market.sandbox.control.faults({})
    assert refuse(market, row, message=OTHER_WORDS) is None
    shop_id = market.shops[row["shop"]]
    assert actions.undo(market.conn, shop_id, row["refund_id"], "refuse", "客服小明", market.now) is None
    market.conn.commit()
    market.wait(seconds=31)
    turns(market)
    assert (state(market, row), there(market, row)) == ("cancelled", ("WAIT_SELLER_AGREE", 0))


def test_the_picture_of_a_refusal_stays_on_the_case_until_it_was_not_sent(market: MarketDesk) -> None:
    row = refusable(market, "demo1")
    place = Place(market.shops["demo1"], row["refund_id"], "客服小明", market.now)
    removed = "SELECT removed_by, used_by FROM evidence"

    def take_off() -> str:
        refusal = remove_evidence(market.conn, place, market.one("SELECT id FROM evidence"))
        market.conn.commit()
        return refusal.code if refusal else ""

    assert refuse(market, row) is None
    assert (take_off(), market.one(removed)) == ("carried", (None, None))
    undo = (market.conn, place.shop_id, place.case_id, "refuse", place.by, market.now)
    assert actions.undo(*undo) is None
    assert (take_off(), market.one(removed)) == ("", ("客服小明", None))


def test_the_picture_of_a_refusal_in_doubt_stays_and_was_used_once_it_is_done(market: MarketDesk) -> None:
    row = refusable(market, "demo1")
    place = Place(market.shops["demo1"], row["refund_id"], "客服小明", market.now)
    assert refuse(market, row) is None
    picture = market.one("SELECT evidence_id FROM refusing")
    market.wait(seconds=31)
    fault(market, REFUSE, {"drop_after": True}, row)
    actor = market.actor()
    actor.turn()
    held = remove_evidence(market.conn, place, picture)
    market.conn.commit()
    turns(market)
    used = remove_evidence(market.conn, place, picture)
    assert held is not None
    assert used is not None
    assert (held.code, used.code, state(market, row)) == ("carried", "used", "done")
    assert market.one("SELECT removed_by, used_by FROM evidence") == (None, "客服小明")
