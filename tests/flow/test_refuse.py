"""A person's refusal reaches the platform once, with its reason, words and picture; the judge is the platform's own count."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from io import BytesIO
from random import Random

import pytest
from PIL import Image

from aftersale.act.run import Limits
from aftersale.cases import actions
from aftersale.cases.casework.evidence import File, add_evidence
from aftersale.cases.casework.place import Place
from aftersale.cases.casework.refusing import newest, proof, reasons
from aftersale.cases.people import Refusing
from aftersale.connectors.outcome import Ok
from aftersale.connectors.taobao import refunds
from aftersale.core.evidence.kit import content_hash
from aftersale.core.refusal import Refusal
from aftersale.intake.reasons import ask
from tests.conftest import Database
from tests.flow.market import AT_ONCE, MarketDesk, Row, market_desk
from tests.flow.paying import calls, fault
from tests.flow.test_act import Died, dying
from tests.sandbox.running import START, Running, running

REFUSE, GET, MESSAGES, REASONS = (
    "taobao.refund.refuse",
    "taobao.refund.get",
    "taobao.refund.messages.get",
    "taobao.refund.refusereason.get",
)
WORDS = "亲，很抱歉，商品已经使用过，这次的申请我们没法同意。"
SEED = 5


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Running]:
    with running("--applications", "1200", "--shops", "2", "--qps", "10000") as one:
        one.control.jump(START + timedelta(hours=10))
        yield one


@pytest.fixture
def market(embedded_database: Database, sandbox: Running) -> Iterator[MarketDesk]:
    with market_desk(embedded_database, sandbox) as desk:
        yield desk


def refusable(market: MarketDesk, shop: str = "demo2", kind: str = "REFUND_AND_RETURN") -> Row:
    """An application that the platform lets the seller refuse; each is used once."""
    found = next(
        row
        for row in market.sandbox.control.applications()
        if (row["shop"], row["status"], row["dispute_type"]) == (shop, "WAIT_SELLER_AGREE", kind)
        and "无理由" not in row["reason"]
        and row["cs_status"] == 1
        and "platform_opened:0" in row["attribute"]
        and "refuse_count:0" in row["attribute"]
        and row["refund_id"] not in USED
    )
    USED.add(found["refund_id"])
    market.fetch(found["refund_id"])
    return found


USED: set[str] = set()


def refuse(market: MarketDesk, row: Row, by: str = "客服小明", **more: object) -> Refusal | None:
    place = Place(market.shops[row["shop"]], row["refund_id"], by, market.now)
    said = replace(Refusing(2, "商品影响二次销售", WORDS), **more)  # type: ignore[arg-type]
    if row["shop"] == "demo1" and said.evidence_id is None:
        said = replace(said, **picture(market, place))
    version = int(row["refund_version"])
    refusal = actions.person_intent(
        market.conn, place.shop_id, place.case_id, "refuse", 0, version, by, market.now, refusing=said
    )
    market.conn.commit()
    return refusal


def picture(market: MarketDesk, place: Place) -> dict[str, object]:
    """A picture of the case's evidence, too large to be sent as it is."""
    noise = Image.frombytes("RGB", (120, 120), Random(SEED).randbytes(120 * 120 * 3)).resize((1600, 1600))
    made = BytesIO()
    noise.save(made, "JPEG", quality=92)
    content = made.getvalue()
    assert len(content) > refunds.REFUSE_PROOF_BYTES_MAX
    assert add_evidence(market.conn, place, "photo", "二次销售.jpg", File("image/jpeg", content)) is None
    found = newest(market.conn, place, content_hash(content))
    assert found is not None
    sent = proof(market.conn, place, found, refunds.REFUSE_PROOF_BYTES_MAX)
    assert isinstance(sent, str)
    assert sent != content_hash(content)
    market.conn.commit()
    return {"evidence_id": found, "sha256": sent}


def there(market: MarketDesk, row: Row) -> tuple[str, int]:
    """The platform's state of the application, and how often it was refused."""
    answer = refunds.detail(market.sandbox.top(row["shop"]), row["refund_id"])
    assert isinstance(answer, Ok)
    count = re.search(r"refuse_count:(\d+)", str(answer.body["attribute"]))
    assert count is not None
    return str(answer.body["status"]), int(count[1])


def attribute(market: MarketDesk, row: Row, name: str) -> str:
    answer = refunds.detail(market.sandbox.top(row["shop"]), row["refund_id"])
    assert isinstance(answer, Ok)
    found = re.search(rf"{name}:(\w*)", str(answer.body["attribute"]))
    assert found is not None
    return found[1]


def turns(market: MarketDesk) -> None:
    actor = market.actor()
    while actor.turn():
        pass


def state(market: MarketDesk, row: Row) -> str:
    return market.states("refuse")[row["refund_id"]]


@pytest.mark.parametrize("shop", ["demo1", "demo2"])
def test_it_leaves_once_when_the_time_to_take_it_back_is_over(market: MarketDesk, shop: str) -> None:
    row = refusable(market, shop)
    assert refuse(market, row) is None
    assert market.all("SELECT queue FROM queue_item") == []
    turns(market)
    assert there(market, row) == ("WAIT_SELLER_AGREE", 0)
    market.wait(seconds=31)
    turns(market)
    turns(market)
    assert there(market, row) == ("SELLER_REFUSE_BUYER", 1)
    assert (state(market, row), attribute(market, row, "refuse_reason")) == ("done", "2")
    said = refunds.messages(market.sandbox.top(shop), row["refund_id"], row["refund_phase"])
    assert isinstance(said, Ok)
    assert said.body["refund_messages"]["refund_message"][-1]["content"] == WORDS
    market.fetch(row["refund_id"])
    assert market.one("SELECT state FROM cases WHERE case_id = %s", row["refund_id"]) == "seller_refused"
    told = market.all("SELECT what FROM happening WHERE kind = 'refusing' AND case_id = %s", row["refund_id"])
    assert len(told) == 1
    assert WORDS in told[0]
    if shop == "demo1":
        sent = market.one("SELECT f.content FROM refusing r JOIN evidence_file f USING (shop_id, sha256)")
        assert len(sent) <= refunds.REFUSE_PROOF_BYTES_MAX
        assert attribute(market, row, "refuse_proof") == sha256(sent).hexdigest()[:12]
        assert market.one("SELECT used_by FROM evidence") == "客服小明"


def test_an_answer_lost_after_the_effect_is_asked_for(market: MarketDesk) -> None:
    row = refusable(market)
    assert refuse(market, row) is None
    market.wait(seconds=31)
    fault(market, REFUSE, {"drop_after": True}, row)
    sent = calls(market, REFUSE)
    actor = market.actor()
    actor.turn()
    assert (state(market, row), there(market, row)) == ("unknown", ("SELLER_REFUSE_BUYER", 1))
    turns(market)
    assert (state(market, row), there(market, row)) == ("done", ("SELLER_REFUSE_BUYER", 1))
    assert calls(market, REFUSE) == sent + 1


def test_a_call_lost_before_the_effect_is_asked_for_and_sent_again(market: MarketDesk) -> None:
    row = refusable(market)
    assert refuse(market, row) is None
    market.wait(seconds=31)
    fault(market, REFUSE, {"drop_before": True}, row, nth=1)
    market.actor().turn()
    assert (state(market, row), there(market, row)) == ("unknown", ("WAIT_SELLER_AGREE", 0))
    turns(market)
    assert (state(market, row), there(market, row)) == ("done", ("SELLER_REFUSE_BUYER", 1))


def test_a_lost_answer_is_found_by_its_words_when_the_application_has_gone_on(market: MarketDesk) -> None:
    row = refusable(market)
    assert refuse(market, row) is None
    market.wait(seconds=31)
    fault(market, REFUSE, {"drop_after": True}, row)
    market.actor().turn()
    assert state(market, row) == "unknown"
    now = refunds.detail(market.sandbox.top("demo2"), row["refund_id"])
    assert isinstance(now, Ok)
    agree_there(market, row, int(now.body["refund_version"]))
    turns(market)
    assert (state(market, row), there(market, row)) == ("done", ("WAIT_BUYER_RETURN_GOODS", 1))


def agree_there(market: MarketDesk, row: Row, version: int) -> None:
    """Somebody agrees to the return in the platform's own back office, or the buyer's change is taken."""
    at = {"version": version, "phase": row["refund_phase"]}
    answer = refunds.agree_return(
        market.sandbox.top(row["shop"]), row["refund_id"], address_id=1, remark="请寄回", **at
    )
    assert isinstance(answer, Ok)


@pytest.mark.parametrize("shop", ["demo1", "demo2"])
def test_what_has_changed_meanwhile_is_not_refused_and_comes_back(market: MarketDesk, shop: str) -> None:
    row = refusable(market, shop)
    assert refuse(market, row) is None
    agree_there(market, row, int(row["refund_version"]))
    market.wait(seconds=31)
    sent = calls(market, REFUSE)
    turns(market)
    assert (state(market, row), calls(market, REFUSE)) == ("refused", sent)
    assert there(market, row) == ("WAIT_BUYER_RETURN_GOODS", 0)
    why = market.one("SELECT outcome FROM intent WHERE kind = 'refuse'")
    assert "WAIT_BUYER_RETURN_GOODS" in why
    assert market.one("SELECT case_id, queue FROM queue_item") == (row["refund_id"], "platform_refused")


def test_two_workers_refuse_once(market: MarketDesk) -> None:
    rows = [refusable(market) for _ in range(4)]
    for row in rows:
        assert refuse(market, row) is None
    market.wait(seconds=31)
    sent = calls(market, REFUSE)
    actors = [market.actor() for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        for _ in range(3):
            list(pool.map(lambda one: one.turn(), actors))
    assert [there(market, row) for row in rows] == [("SELLER_REFUSE_BUYER", 1)] * 4
    assert [state(market, row) for row in rows] == ["done"] * 4
    assert calls(market, REFUSE) == sent + 4


@pytest.mark.parametrize(("nth", "was_refused"), [(3, 0), (4, 1)], ids=["before the call", "after the call"])
def test_a_worker_that_died_while_refusing_is_asked_about(
    market: MarketDesk, nth: int, was_refused: int
) -> None:
    row = refusable(market)
    assert refuse(market, row) is None
    market.wait(seconds=31)
    sent = calls(market, REFUSE)
    with pytest.raises(Died):
        market.actor(now=_dying_in_call(market, nth)).turn()
    assert (state(market, row), there(market, row)[1]) == ("sending", was_refused)
    assert market.actor(Limits(calls_per_s=2000, lease_s=60)).turn() == 0
    market.actor(replace(AT_ONCE, lease_s=0.0)).turn()
    turns(market)
    assert (state(market, row), there(market, row)) == ("done", ("SELLER_REFUSE_BUYER", 1))
    assert calls(market, REFUSE) == sent + 1


def _dying_in_call(market: MarketDesk, nth: int) -> Callable[[], datetime]:
    """Looking at the application asks for the time once before the refusal does."""
    return dying(market, nth + 1)


def test_what_was_taken_back_is_never_said(market: MarketDesk) -> None:
    row = refusable(market)
    assert refuse(market, row) is None
    shop_id = market.shops[row["shop"]]
    assert actions.undo(market.conn, shop_id, row["refund_id"], "refuse", "客服小明", market.now) is None
    market.conn.commit()
    market.wait(seconds=31)
    turns(market)
    assert there(market, row) == ("WAIT_SELLER_AGREE", 0)
    while market.worker.turn():
        pass
    assert refuse(market, row, message="亲，抱歉，没法同意，换个说法。") is None
    assert market.one("SELECT message FROM refusing") == "亲，抱歉，没法同意，换个说法。"
    market.wait(seconds=31)
    turns(market)
    assert there(market, row) == ("SELLER_REFUSE_BUYER", 1)
    with pytest.raises(Exception, match="what was sent stays"):
        market.conn.execute("UPDATE refusing SET message = '别的话'")
    market.conn.rollback()


def test_a_switch_holds_it_back_until_it_is_released(market: MarketDesk) -> None:
    row = refusable(market)
    assert refuse(market, row) is None
    actions.set_switch(market.conn, 0, "refuse", True, "先停一下", "主管阿兰", market.now)
    market.wait(seconds=31)
    turns(market)
    assert (there(market, row), state(market, row)) == (("WAIT_SELLER_AGREE", 0), "approved")
    actions.set_switch(market.conn, 0, "refuse", False, "可以了", "主管阿兰", market.now)
    turns(market)
    assert there(market, row) == ("SELLER_REFUSE_BUYER", 1)


def test_what_the_platform_does_not_allow_comes_back_with_its_reason(market: MarketDesk) -> None:
    row = refusable(market)
    assert refuse(market, row, reason_id=99) is None
    market.wait(seconds=31)
    turns(market)
    assert (state(market, row), there(market, row)) == ("refused", ("WAIT_SELLER_AGREE", 0))
    assert "no such reason" in market.one("SELECT outcome FROM intent WHERE kind = 'refuse'")
    assert market.one("SELECT case_id, queue FROM queue_item") == (row["refund_id"], "platform_refused")


def test_nobody_agrees_while_somebody_refuses(market: MarketDesk) -> None:
    row = refusable(market)
    shop_id, version = market.shops[row["shop"]], int(row["refund_version"])
    assert refuse(market, row) is None
    twice = refuse(market, row)
    agreed = actions.person_intent(
        market.conn, shop_id, row["refund_id"], "agree_return", 0, version, "主管阿兰", market.now
    )
    assert twice is not None
    assert agreed is not None
    assert (twice.code, agreed.code, agreed.who) == ("already", "opposed", "客服小明")
    assert market.all("SELECT kind FROM intent WHERE state = 'approved'") == ["refuse"]
    other = refusable(market)
    agree = (shop_id, other["refund_id"], "agree_return", 0, int(other["refund_version"]))
    assert actions.person_intent(market.conn, *agree, "主管阿兰", market.now) is None
    late = refuse(market, other)
    assert late is not None
    assert (late.code, late.who) == ("opposed", "主管阿兰")
    assert market.all("SELECT 1 FROM refusing WHERE case_id = %s", other["refund_id"]) == []


@pytest.mark.parametrize(
    ("by", "kind", "code"),
    [("外人老吴", "refuse", "role_or_action_unknown"), ("客服小明", "agree_return", "no_words")],
)
def test_who_may_not_and_what_carries_words_for_nothing_is_refused(
    market: MarketDesk, by: str, kind: str, code: str
) -> None:
    row = refusable(market)
    carried = Refusing(2, "商品影响二次销售", WORDS)
    version = int(row["refund_version"])
    refused = actions.person_intent(
        market.conn,
        market.shops["demo2"],
        row["refund_id"],
        kind,
        0,
        version,
        by,
        market.now,
        refusing=carried,
    )
    assert refused is not None
    assert refused.code == code
    assert (
        market.all("SELECT 1 FROM refusing") == market.all("SELECT 1 FROM intent WHERE kind = 'refuse'") == []
    )
    bare = actions.person_intent(
        market.conn, market.shops["demo2"], row["refund_id"], "refuse", 0, version, "客服小明", market.now
    )
    assert bare is not None
    assert bare.code == "no_words"


def test_the_platforms_reasons_are_asked_for_once_and_kept(market: MarketDesk) -> None:
    row = refusable(market)
    place = Place(market.shops[row["shop"]], row["refund_id"], "客服小明", market.now)
    version, asked, puller = int(row["refund_version"]), calls(market, REASONS), market.puller()

    def known() -> tuple[list[str], str, bool]:
        found = reasons(market.conn, place, version)
        market.conn.commit()
        return [one.text for one in found.reasons], found.fault, found.waited_s is None

    assert known() == ([], "", False)
    fault(market, REASONS, {"http_500": True}, row, nth=1)
    assert ask(puller) == 1
    assert known() == ([], "", False)
    assert ask(puller) == 0  # ten seconds later
    market.conn.execute("UPDATE refuse_reasons SET asked_at = asked_at - interval '11 seconds'")
    market.conn.commit()
    assert ask(puller) == 1
    every = ["已经发货", "商品影响二次销售", "收到的商品不是本店发出的", "与买家协商一致"]
    assert known() == (every, "", True)
    assert ask(puller) == 0
    assert calls(market, REASONS) == asked + 1  # the sandbox counts those that it answered
    version += 1
    assert known() == ([], "", False)


def test_why_there_are_no_reasons_is_said(market: MarketDesk) -> None:
    row = refusable(market)
    place = Place(market.shops[row["shop"]], row["refund_id"], "客服小明", market.now)
    reasons(market.conn, place, int(row["refund_version"]))
    market.conn.commit()
    said = {"error": {"code": 15, "sub_code": "isv.refund-cannot-refuse", "sub_msg": "此申请不支持拒绝"}}
    fault(market, REASONS, said, row)
    assert ask(market.puller()) == 1
    found = reasons(market.conn, place, int(row["refund_version"]))
    assert (found.reasons, found.fault, found.waited_s) == ((), "此申请不支持拒绝", None)
