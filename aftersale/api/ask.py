"""`POST /api/ask/{question}`: the decision service over HTTP, one question or 1–10,000 of a kind."""

import json
from decimal import Decimal
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Query, Router, Schema

from aftersale.api.tokens import SQL, TURNED_AWAY, Token
from aftersale.ask.answer import Answer, answer
from aftersale.ask.questions import Unclear, families, question, titles
from aftersale.core.refusal import Refusal

BATCH_MAX = 10_000
BODY_MAX = 32 * 1024 * 1024

router = Router(tags=["ask"])

ASKED = {
    "type": "object",
    "required": ["given"],
    "properties": {
        "id": {"description": "Yours; comes back with the answer."},
        "given": {
            "type": "object",
            "description": "Facts in the field's words. Amounts in yuan, times in ISO (Asia/Shanghai when without "
            "offset). `ask` may be left out; when given it is the question of the path.",
            "additionalProperties": True,
        },
    },
}
BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "oneOf": [
                        ASKED,
                        {"type": "array", "items": ASKED, "minItems": 1, "maxItems": BATCH_MAX},
                    ]
                }
            }
        },
    },
    "responses": TURNED_AWAY,
}


class Options(Schema):
    """`strict`: assume nothing; `trace`: say why; `shop`: answer with this shop's settings."""

    strict: bool = False
    trace: bool = False
    shop: str | None = None


class Question(Schema):
    """`fields`: what the question reads."""

    question: str
    family: str
    title: str
    title_en: str


@router.get(
    "/ask",
    response=list[Question],
    openapi_extra={"responses": TURNED_AWAY},
    summary="The questions that can be asked",
)
def known(request: HttpRequest) -> list[Question]:
    """Every `family:slug`, in alphabetical order."""
    return [
        Question(
            question=f"{family}:{slug}",
            family=family,
            title=titles()[family][0],
            title_en=titles()[family][1],
        )
        for family, slugs in sorted(families().items())
        for slug in sorted(slugs)
    ]


@router.post(
    "/ask/{question}",
    auth=Token(reads=True),
    openapi_extra=BODY,
    summary="Ask one question, or up to 10,000 of a kind",
)
def ask(request: HttpRequest, question: str, options: Query[Options]) -> HttpResponse:
    """One answer for one question, a list for a list, in its order. An answer holds `id`, `outcome`, `rule`,
    `assumed` and, if wanted, `trace` – or `id` and `error`. 404: no such question; 422: not answerable as put."""
    asked = _read(request, question)
    if isinstance(asked, Refusal):
        return _said({"error": asked.why}, 404 if asked.code == "no_question" else 422)
    settings = None if options.shop is None else _settings(request, options.shop)
    if options.shop is not None and settings is None:
        return _said({"error": f"没有代码为 {options.shop} 的店铺"}, 404)
    now, many = timezone.now(), isinstance(asked, list)
    answers = [
        one
        if isinstance(one, dict) and "error" in one
        else answer(one, now, strict=options.strict, trace=options.trace, settings=settings)
        for one in (asked if many else [asked])
    ]
    return _said(answers if many else answers[0], 422 if not many and "error" in answers[0] else 200)


def _read(request: HttpRequest, name: str) -> Any:
    """The questions of the body, each with the path's name, or why not."""
    try:
        question(name)
    except Unclear as unclear:
        return Refusal("no_question", str(unclear))
    body = request.read(BODY_MAX + 1)
    if len(body) > BODY_MAX:
        return Refusal("too_large", f"请求超过 {BODY_MAX // 1024 // 1024} MB，请分批")
    try:
        asked = json.loads(body, parse_float=Decimal, parse_constant=_refused)
    except (ValueError, RecursionError) as error:
        return Refusal("no_json", f"请求不是 JSON：{error}")
    if isinstance(asked, list) and not 1 <= len(asked) <= BATCH_MAX:
        return Refusal("batch", f"一批是 1 到 {BATCH_MAX} 个问题，收到 {len(asked)} 个")
    return (
        [_named(_alone(one), name) for one in asked]
        if isinstance(asked, list)
        else _named(_alone(asked), name)
    )


def _alone(asked: Any) -> Any:
    """What a question is made of; anything else in it is not ours."""
    return {key: asked[key] for key in ("id", "given") if key in asked} if isinstance(asked, dict) else asked


def _named(asked: Any, name: str) -> Any:
    """With the path's name; a question that names another one is refused."""
    if not isinstance(asked, dict) or not isinstance(asked.get("given"), dict):
        return asked
    told = asked["given"].get("ask", name)
    if told != name:
        return {
            "id": asked.get("id"),
            "error": f"given.ask 是 {told}，路径问的是 {name}，请写成一致或去掉 given.ask",
        }
    return {**asked, "given": {**asked["given"], "ask": name}}


def _refused(text: str) -> float:
    raise ValueError(f"{text} 不是数字")


def _settings(request: HttpRequest, shop: str) -> Any:
    """The shop's own values; None when it is not the person's."""
    with connection.cursor() as cursor:
        cursor.execute(SQL["shop"], {"user": request.auth, "code": shop})  # type: ignore[attr-defined]
        row = cursor.fetchone()
    return None if row is None else json.loads(row[0])


def _said(found: Answer | list[Answer], status: int = 200) -> HttpResponse:
    text = json.dumps(found, ensure_ascii=False)
    return HttpResponse(text, status=status, content_type="application/json; charset=utf-8")
