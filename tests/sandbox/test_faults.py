"""Every kind of trouble on the wire, what our client makes of it, and what was really paid."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from aftersale.connectors.outcome import Ok, Rejected, TryLater, Unknown
from aftersale.connectors.taobao import refunds
from tests.sandbox.cases import agreement, fen, paid, waiting
from tests.sandbox.running import START, Running, running

AGREE, GET = "taobao.rp.refunds.agree", "taobao.refund.get"

LIMITED = {
    "code": 7,
    "sub_code": "accesscontrol.limited-by-api-access-count",
    "sub_msg": "This ban will last for 3 more seconds",
}

# trouble, what an agree returns, what a read returns, is the agree's money paid
KINDS: list[tuple[dict[str, Any], type, type, bool]] = [
    ({"drop_before": True}, Unknown, TryLater, False),
    ({"drop_after": True}, Unknown, TryLater, True),
    ({"http_500": True}, Unknown, TryLater, False),
    ({"garbage": True}, Unknown, TryLater, True),
    ({"error": {"code": 15, "sub_code": "isp.remote-service-timeout"}}, Unknown, TryLater, False),
    ({"error": {"code": 15, "sub_code": "isv.invalid-parameter"}}, Rejected, Rejected, False),
    ({"error": LIMITED}, TryLater, TryLater, False),
    ({"delay_s": 0.01}, Ok, Ok, True),
    ({"slow": 0.01}, Ok, Ok, True),
]


@pytest.fixture(scope="module")
def troubled() -> Iterator[Running]:
    with running("--applications", "200", "--shops", "2", "--qps", "10000") as one:
        one.control.jump(START + timedelta(hours=12))
        yield one


@pytest.mark.parametrize(("do", "of_write", "of_read", "is_paid"), KINDS)
def test_each_kind(
    troubled: Running, do: dict[str, Any], of_write: type, of_read: type, is_paid: bool
) -> None:
    row = waiting(troubled, "demo2", lambda row: fen(row) < 50_000)[0]
    rules = [
        {"match": {"method": method, "refund_id": row["refund_id"]}, "do": do} for method in (AGREE, GET)
    ]
    troubled.control.faults({"rules": rules})
    read = refunds.detail(troubled.top("demo2"), row["refund_id"])
    outcome = refunds.agree(troubled.top("demo2"), [agreement(row)])[row["refund_id"]]
    troubled.control.faults({})
    assert (type(read), type(outcome)) == (of_read, of_write)
    assert paid(troubled, row) == ([fen(row)] if is_paid else [])
    if isinstance(outcome, TryLater):
        assert outcome.after_s == 3.0


def test_a_query_tells_what_a_lost_answer_did(troubled: Running) -> None:
    row = waiting(troubled, "demo2", lambda row: fen(row) < 50_000)[0]
    troubled.control.faults({"rules": [{"match": {"method": AGREE, "nth": 1}, "do": {"drop_after": True}}]})
    top = troubled.top("demo2")
    assert isinstance(refunds.agree(top, [agreement(row)])[row["refund_id"]], Unknown)
    now = refunds.detail(top, row["refund_id"])
    assert isinstance(now, Ok)
    assert now.body["status"] == "SUCCESS"
    second = refunds.agree(top, [agreement(row)])[row["refund_id"]]
    assert isinstance(second, Rejected)
    assert paid(troubled, row) == [fen(row)]


def test_nth_and_share_repeat_with_the_seed(troubled: Running) -> None:
    row = waiting(troubled, "demo2")[0]

    def round_of_calls(script: dict[str, Any]) -> str:
        troubled.control.faults(script)
        answers = [refunds.detail(troubled.top("demo2"), row["refund_id"]) for _ in range(12)]
        troubled.control.faults({})
        return "".join("." if isinstance(answer, Ok) else "x" for answer in answers)

    fail = {"http_500": True}
    assert round_of_calls({"rules": [{"match": {"nth": [2, 5]}, "do": fail}]}) == ".x..x......."
    share = {"seed": 3, "rules": [{"match": {"method": GET, "p": 0.5}, "do": fail}]}
    first = round_of_calls(share)
    assert 0 < first.count("x") < 12
    assert round_of_calls(share) == first
    assert round_of_calls({**share, "seed": 4}) != first


def test_calls_beyond_the_quota_are_banned_for_a_second() -> None:
    with running("--applications", "20", "--qps", "3") as one:
        one.control.jump(START + timedelta(hours=12))
        refund_id = one.control.applications()[0]["refund_id"]
        answers = [refunds.detail(one.top(), refund_id) for _ in range(5)]
        banned = [answer for answer in answers if isinstance(answer, TryLater)]
        assert isinstance(answers[0], Ok)
        assert banned
        assert {(answer.after_s, answer.code) for answer in banned} == {
            (1.0, "accesscontrol.limited-by-app-access-count")
        }


def test_nobody_listens() -> None:
    with running("--applications", "1") as one:
        port = one.port
    with httpx2.Client(trust_env=False) as http:
        dead = Running(f"http://127.0.0.1:{port}", one.control, http)
        top = dead.top()
        top._now = lambda: START
        outcome = refunds.agree(top, [refunds.Agreement("1", 1, 1)])["1"]
    assert isinstance(outcome, TryLater)


def test_a_bad_script_is_refused(troubled: Running) -> None:
    with pytest.raises(RuntimeError, match="explode"):
        troubled.control.faults({"rules": [{"match": {}, "do": {"explode": True}}]})
