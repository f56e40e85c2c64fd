"""`POST /api/ask/{question}`: the same answers as the command, for programs."""

import json
from datetime import timedelta
from types import ModuleType
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.http import HttpRequest
from django.test import Client, override_settings
from django.urls import path
from ninja import NinjaAPI
from ninja.errors import HttpError

from aftersale.api.tokens import Token, make_token, revoke_token
from aftersale.api.urls import refused
from aftersale.core.refusal import Refusal
from aftersale.rights import needs
from tests.conftest import Database

HOLD = {
    "platform": "pdd", "aftersale_type": "unshipped_refund_only", "goods_state": "hold", "amount": 100,
    "strategy": {"template": "hold_auto_refund", "max_amount": 100},
}  # fmt: skip
PATH = "/api/ask/auto_strategy:tpl_hold"


def _post(token: str, body: object, path: str = PATH) -> tuple[int, Any]:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    said = Client(headers={"host": "127.0.0.1"}).post(
        path, text, content_type="application/json", headers=headers
    )
    return said.status_code, json.loads(said.content)


def test_one_question_one_answer(token: str) -> None:
    status, said = _post(token, {"id": 7, "given": HOLD})
    assert (status, said["id"], said["rule"], said["outcome"]["refund_amount"]) == (200, 7, "hold", 100)
    assert "trace" not in said
    status, said = _post(token, {"given": HOLD}, PATH + "?trace=true")
    assert "申请金额 ¥100.00 ≤ HOLD单自动退的上限 ¥100.00" in said["trace"]["refund"]["because"]


def test_ten_thousand_answers_in_order_and_not_one_more(token: str) -> None:
    many = [{"id": no, "given": {**HOLD, "amount": 99 + no % 3}} for no in range(10_000)]
    status, said = _post(token, many)
    assert (status, [one["id"] for one in said]) == (200, list(range(10_000)))
    assert [one["outcome"]["action"] for one in said[:3]] == ["auto_refund", "auto_refund", "manual_review"]
    status, said = _post(token, [*many, many[0]])
    assert (status, said["error"]) == (422, "一批是 1 到 10000 个问题，收到 10001 个")
    assert _post(token, [])[0] == 422


REFUSED = [
    (PATH.replace("hold", "hald"), {"given": HOLD}, 404, "最近的是 tpl_hold"),
    ("/api/ask/auto_stragety:tpl_hold", {"given": HOLD}, 404, "最近的是 auto_strategy"),
    (PATH, {"given": {**HOLD, "amout": 3}}, 422, "没有名为 amout 的字段，最近的是 amount"),
    (PATH, {"given": {**HOLD, "ask": "triage:c_24h"}}, 422, "given.ask 是 triage:c_24h"),
    (PATH, {"facts": HOLD}, 422, "问题需要 id 和 given"),
    (PATH, b'{"given": ', 422, "请求不是 JSON"),
    (PATH, b'{"given": {"amount": NaN}}', 422, "NaN 不是数字"),
    (PATH + "?shop=wu", {"given": HOLD}, 404, "没有代码为 wu 的店铺"),
]


@pytest.mark.parametrize(("path", "body", "status", "why"), REFUSED)
def test_what_cannot_be_answered_says_why_in_one_line(
    token: str, path: str, body: object, status: int, why: str
) -> None:
    found, said = _post(token, body, path)
    assert (found, why in said["error"], "outcome" in said) == (status, True, False)
    assert "\n" not in said["error"]


def test_one_bad_question_does_not_spoil_the_batch(token: str) -> None:
    status, said = _post(token, [{"id": 1, "given": HOLD}, {"id": 2, "given": {"amout": 1}}, 3])
    assert (status, ["error" in one for one in said]) == (200, [False, True, True])


def test_a_shop_answers_with_its_own_settings(token: str) -> None:
    given = {k: v for k, v in HOLD.items() if k != "strategy"} | {
        "amount": 200, "strategy": {"template": "hold_auto_refund"},
    }  # fmt: skip
    asked = {"given": given}
    assert _post(token, asked, PATH + "?shop=tea")[1]["outcome"]["action"] == "auto_refund"
    with connection.cursor() as cursor:
        cursor.execute("""UPDATE shop SET settings = '{"hold_auto_refund_max": 19999}' WHERE code = 'tea'""")
    assert _post(token, asked, PATH + "?shop=tea")[1]["outcome"]["action"] == "manual_review"
    assert _post(token, asked, PATH + "?shop=snack")[1]["outcome"]["action"] == "auto_refund"


def test_without_a_live_token_nothing_is_answered(token: str) -> None:
    made = make_token("客服小明", "erp")
    assert isinstance(made, str)
    assert _post(made, {"given": HOLD})[0] == 200
    taken = make_token("客服小明", "erp")
    assert isinstance(taken, Refusal)
    assert taken.code == "name_taken"
    assert revoke_token("客服小明", "erp") is True
    assert revoke_token("客服小明", "erp") is False
    for bad in ("", "aftersale_guess", made, token + "x"):
        assert _post(bad, {"given": HOLD}) == (401, {"error": "没有带上有效的令牌"})


def test_a_token_ends_and_leaves_its_name(shops: Database) -> None:
    made = make_token("客服小明", "month", 30)
    assert isinstance(made, str)
    assert _post(made, {"given": HOLD})[0] == 200
    with psycopg.connect(shops.owner) as conn:
        row = conn.execute(
            "SELECT ends_at - made_at, acts, used_at = date_trunc('day', used_at, 'Asia/Shanghai') "
            "FROM api_token WHERE name = 'month'"
        ).fetchone()
        assert row == (timedelta(days=30), False, True)
        conn.execute(
            "UPDATE api_token SET used_at = NULL, made_at = '2026-01-01 08:00+08', "
            "ends_at = '2026-01-31 08:00+08' WHERE name = 'month'"
        )
    ended = (401, {"error": "这个令牌在 2026-01-31 已经到期，请换一个新的"})
    assert _post(made, {"given": HOLD}) == ended
    again = make_token("客服小明", "month", 30)
    assert isinstance(again, str)
    assert (_post(again, {"given": HOLD})[0], _post(made, {"given": HOLD})[0]) == (200, 401)
    with psycopg.connect(shops.owner) as conn:
        old = conn.execute("SELECT used_at, revoked_at = ends_at FROM api_token WHERE made_at < '2026-02-01'")
        assert old.fetchall() == [(None, True)]


def test_only_an_owners_token_never_ends() -> None:
    codes = [
        made.code if isinstance(made, Refusal) else "made"
        for made in (
            make_token("客服小明", "ever", None),
            make_token("主管阿兰", "ever", None),
            make_token("外人老吴", "ever", None),
            make_token("外人老吴", "odd", 31),
        )
    ]
    assert codes == ["owners_only", "owners_only", "made", "days"]


def test_a_token_from_before_never_ends_and_acts(shops: Database, token: str) -> None:
    with psycopg.connect(shops.owner) as conn, conn.transaction(force_rollback=True):
        kept = conn.execute(
            "INSERT INTO api_token (user_id, name, digest, made_at) "
            "VALUES (1, 'before', sha256('before'), now()) RETURNING ends_at, acts"
        ).fetchone()
    assert kept == (None, True)


def test_a_token_that_only_reads_does_not_act(token: str) -> None:
    done: list[int] = []
    acting = NinjaAPI(auth=Token(), urls_namespace="acting")
    acting.add_exception_handler(HttpError, refused)

    @acting.post("/act")
    def act(request: HttpRequest) -> None:
        done.append(1)

    acting.get("/act")(lambda request: None)
    opened = acting.urls
    for route in opened[0]:
        assert route.callback is not None
        needs("api")(route.callback)
    doors = ModuleType("doors")
    doors.urlpatterns = [path("api/", opened)]  # type: ignore[attr-defined]
    both = make_token("主管阿兰", "both", acts=True)
    assert isinstance(both, str)
    with override_settings(ROOT_URLCONF=doors):
        client = Client(headers={"host": "127.0.0.1"})
        assert client.get("/api/act", headers={"Authorization": f"Bearer {token}"}).status_code == 200
        why = {"error": "这个令牌只能读取，要办理请换一个可以读取和办理的令牌"}
        assert (_post(token, {}, "/api/act"), done) == ((403, why), [])
        assert (_post(both, {}, "/api/act")[0], done) == (200, [1])


def test_the_description_names_the_door_and_its_limits() -> None:
    schema = json.loads(Client(headers={"host": "127.0.0.1"}).get("/api/openapi.json").content)
    post = schema["paths"]["/api/ask/{question}"]["post"]
    kinds = post["requestBody"]["content"]["application/json"]["schema"]["oneOf"]
    assert [kind["type"] for kind in kinds] == ["object", "array"]
    assert kinds[1]["maxItems"] == 10_000
    assert {one["name"] for one in post["parameters"]} == {"question", "strict", "trace", "shop"}
    assert {"200", "401", "403"} <= {str(status) for status in post["responses"]}


def test_every_question_is_listed(token: str) -> None:
    said = Client(headers={"host": "127.0.0.1"}).get("/api/ask", headers={"Authorization": f"Bearer {token}"})
    names = [one["question"] for one in json.loads(said.content)]
    assert "auto_strategy:tpl_hold" in names
    assert names == sorted(set(names))
