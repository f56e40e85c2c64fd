"""Clients that we did not write work against the sandbox over TCP."""

import asyncio
import urllib.parse  # noqa: F401  (the module `top` uses it without importing it)
from typing import Any

import pytest
import top.api
from servers.taobao.client import TaobaoMCP
from servers.taobao.schema import REFUND_FIELDS
from top.api.base import TopException

from tests.sandbox.running import Running

FIELDS = "refund_id,tid,status,refund_fee,refund_version,refund_phase,dispute_type,modified,created"


def _sent(request: Any, session: str = "session-demo1", secret: str = "sandbox-app-secret") -> dict[str, Any]:
    request.set_app_info(top.appinfo("12345678", secret))
    answer: dict[str, Any] = request.getResponse(session)
    return answer


def _request(running: Running, name: str, **params: object) -> Any:
    request = getattr(top.api, name)("127.0.0.1", running.port)
    for key, value in params.items():
        setattr(request, key, value)
    return request


def test_taobao_openapi_lists_gets_reviews_and_agrees(morning: Running) -> None:
    answer = _sent(
        _request(
            morning,
            "RefundsReceiveGetRequest",
            fields=FIELDS,
            status="WAIT_SELLER_AGREE",
            page_size=100,
            use_has_next="true",
        )
    )["refunds_receive_get_response"]
    assert answer["has_next"] is False
    row = next(row for row in answer["refunds"]["refund"] if row["dispute_type"] == "REFUND")
    detail = _sent(_request(morning, "RefundGetRequest", fields=FIELDS, refund_id=row["refund_id"]))
    refund = detail["refund_get_response"]["refund"]
    assert refund["refund_version"] == row["refund_version"]
    reviewed = _sent(
        _request(
            morning,
            "RpRefundReviewRequest",
            refund_id=row["refund_id"],
            refund_version=row["refund_version"],
            refund_phase=row["refund_phase"],
            operator="客服小明",
            message="核对无误",
            result="true",
        )
    )
    assert reviewed["rp_refund_review_response"]["is_success"] is True
    fen = round(float(row["refund_fee"]) * 100)
    infos = f"{row['refund_id']}|{fen}|{row['refund_version']}|{row['refund_phase']}"
    agreed = _sent(_request(morning, "RpRefundsAgreeRequest", refund_infos=infos))[
        "rp_refunds_agree_response"
    ]
    assert (agreed["succ"], agreed["msg_code"]) == (True, "OP_SUCC")
    assert agreed["results"]["refund_mapping_result"] == [
        {"refund_id": row["refund_id"], "succ": True, "message": "OP_SUCC"}
    ]
    paid = [entry for entry in morning.control.ledger() if entry.refund_id == row["refund_id"]]
    assert [(entry.amount_fen, entry.by) for entry in paid] == [(fen, "seller")]


def test_taobao_openapi_is_told_of_a_wrong_secret_and_session(morning: Running) -> None:
    request = _request(morning, "RefundGetRequest", fields=FIELDS, refund_id=1)
    with pytest.raises(TopException) as wrong_secret:
        _sent(request, secret="other")
    assert wrong_secret.value.errorcode == 25
    with pytest.raises(TopException) as wrong_session:
        _sent(request, session="session-of-老吴")
    assert wrong_session.value.errorcode == 27
    with pytest.raises(TopException) as missing:
        _sent(request)
    assert missing.value.subcode == "isv.refund-not-exist"


def test_mcp_cn_commerce_lists_gets_and_agrees(morning: Running) -> None:
    class Client(TaobaoMCP):  # type: ignore[misc]
        BASE_URL = f"{morning.url}/router/rest"

    async def use() -> dict[str, Any]:
        client = Client(app_key="12345678", app_secret="sandbox-app-secret", access_token="session-demo2")
        wishes = {
            "fields": REFUND_FIELDS + ",refund_version",
            "page_size": 100,
            "status": "WAIT_SELLER_AGREE",
        }
        listed = (await client._call("taobao.refunds.receive.get", wishes))["refunds_receive_get_response"]
        row = next(row for row in listed["refunds"]["refund"] if row["dispute_type"] == "REFUND")
        wish = {"fields": FIELDS, "refund_id": row["refund_id"]}
        detail = (await client._call("taobao.refund.get", wish))["refund_get_response"]["refund"]
        assert detail["status"] == "WAIT_SELLER_AGREE"
        fen = round(float(detail["refund_fee"]) * 100)
        infos = {"refund_infos": f"{row['refund_id']}|{fen}|{detail['refund_version']}"}
        answer = await client._call("taobao.rp.refunds.agree", infos)
        assert listed["total_results"] >= len(listed["refunds"]["refund"])
        return {"id": row["refund_id"], "fen": fen, "answer": answer["rp_refunds_agree_response"]}

    done = asyncio.run(use())
    assert done["answer"]["msg_code"] == "OP_SUCC"
    paid = [entry for entry in morning.control.ledger() if entry.refund_id == done["id"]]
    assert [(entry.shop, entry.amount_fen) for entry in paid] == [("demo2", done["fen"])]
