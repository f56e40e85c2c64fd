"""The words of the pages: titles of codes, in the language of the page, from the rulebooks' own data."""

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from functools import cache
from typing import cast

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from aftersale.core.expression import Ref, Value
from aftersale.core.look import Env, evaluate
from aftersale.core.money import yuan_text
from aftersale.rulebooks import books
from aftersale.rulebooks.books import Language

CATALOGUE = "case"
BOOK = "refund"


def language() -> Language:
    """The language of the page being made."""
    return "en" if (get_language() or "").startswith("en") else "zh"


def word(kind: str, code: str | None) -> str:
    """The title of a code: a fact's value, `action`, `queue`, `rule`, `intent`, `intent_state`, `role` …"""
    if not code:
        return "—"
    if kind == "rule":
        return rule(code)
    if kind == "intent":
        return intent(code)
    if kind == "by_whom":
        return by_whom(code)
    own = _own(language()).get(kind, {})
    return own[code] if code in own else books.title(kind, code, language())


def rule(code: str) -> str:
    """The title of a rule, also of those that the record itself adds."""
    return _rules(language()).get(code, code)


@cache
def _rules(chosen: Language) -> Mapping[str, str]:
    found = {one.name: one.title if chosen == "zh" else one.title_en for one in books.book(BOOK).rules}
    own = {
        "otherwise": _("没有规则命中，交给人"),
        "money_does_not_fit": _("金额超过订单还能退的钱，交给人核对"),
        "payment_reversed": _("平台撤回了已经退出的钱，交给人核对"),
        "not_decided": _("规则没能判断这一单，交给人；请核对店铺的设置"),
        "deadline_passed": _("平台给的期限已经过了，不再自动同意，交给人核对"),
    }
    return {**found, **own}


def by_whom(name: str) -> str:
    """Who threw a switch: a colleague, or by itself for a reason of the book `breaker` or of the record's own."""
    if not name.startswith("breaker:"):
        return name
    code = name.removeprefix("breaker:")
    if language() == "zh":  # the reason stands beside it, in Chinese
        return _("系统自动停止")
    return _("自动停止：%(why)s") % {"why": breaker_reasons().get(code, code)}


def breaker_reasons() -> dict[str, str]:
    """Why automatic payment stops by itself."""
    rules = {
        one.name: one.title if language() == "zh" else one.title_en for one in books.book("breaker").rules
    }
    return {
        **rules,
        "authorisation": _("平台授权已经失效"),
        "instance": _("这台服务器的数据是恢复或复制来的"),
    }


def why(code: str, limit_fen: int | None = None) -> str:
    """Why something was not done, as the books say it; `limit_fen` is the limit that was exceeded."""
    told = word("why", code)
    if limit_fen is None:
        return told
    return _("%(why)s %(limit)s，请逐单处理或用主账号退") % {"why": told, "limit": yuan_text(limit_fen)}


def fact(name: str) -> str:
    """The title of a fact."""
    known = books.catalogue(CATALOGUE).facts[name]
    return known.title if language() == "zh" else known.title_en


def answer(name: str, value: str) -> str:
    """A value as a person entered it."""
    plain = {"True": _("是"), "False": _("否"), "None": _("未知")}
    return plain[value] if value in plain else word(name, value)


def intent(kind: str) -> str:
    """The title of an outward effect; a message says which."""
    name, _colon, action = kind.partition(":")
    title = _own(language())["intent_kind"].get(name, name)
    if action.startswith("said_"):
        return title
    return f"{title} · {books.title('action', action, language())}" if action else title


def tabs() -> Mapping[str, str]:
    """The queue page's tabs in order; `all` is the last."""
    found = {tab.code: tab.title if language() == "zh" else tab.title_en for tab in books.tabs()}
    return {**found, "all": _("全部")}


def tab_of(queue: str) -> str:
    """The tab of a queue; a queue that no book names is shown under 核对与其他."""
    known = books.queues().get(queue)
    return known.tab if known else "work_order"


def queues_in(tab: str, existing: Collection[str]) -> Collection[str]:
    """Those of the existing queues that a tab shows."""
    return {queue for queue in existing if tab in ("all", tab_of(queue))}


def queue_titles() -> dict[str, str]:
    """All queues that a book names."""
    return {code: word("queue", code) for code in books.queues()}


def values(fact: str) -> dict[str, str]:
    """All values of an enum fact with their titles."""
    return {code: pair[language() == "en"] for code, pair in books.titles()[fact].items()}


def actions() -> dict[str, str]:
    """All actions that may be suggested to people."""
    used = {
        str(getattr(then.get("action"), "value", "")) for then in _thens() if then.get("queue") is not None
    }
    return {code: word("action", code) for code in books.actions() if code in used}


def _thens() -> list[Mapping[str, object]]:
    book = books.book(BOOK)
    return [*(rule.then for rule in book.rules), book.otherwise]


def facts_of(json_text: str) -> dict[str, Value | None]:
    """The stored facts of a `case_facts` row that was read as JSON."""
    given = json.loads(json_text)
    found: dict[str, Value | None] = {}
    for name, fact in books.catalogue(CATALOGUE).facts.items():
        if fact.stored:
            value = given.get(f"{name}_fen" if fact.type.kind == "fen" else name)
            moment = fact.type.kind == "timestamptz" and value is not None
            found[name] = datetime.fromisoformat(value) if moment else value
    return found


def goods_state(facts: Mapping[str, Value | None], now: datetime) -> str | None:
    """What the goods are doing, derived as the rules derive it."""
    env = Env(books.catalogue(CATALOGUE).facts, facts, {}, now)
    return cast("str | None", evaluate(Ref("goods_state"), env))


def chips() -> dict[str, str]:
    """Titles of the queue's filters."""
    return {
        "shop": _("店铺"),
        "platform": _("平台"),
        "reason": _("原因"),
        "action": _("建议动作"),
        "amount": _("金额"),
        "left": _("剩余时间"),
        "state": _("阶段"),
        "owner": _("负责人"),
        "sort": _("排序"),
    }


def lefts() -> dict[str, str]:
    return {"0": _("已超时"), "2": _("2 小时内"), "12": _("12 小时内"), "24": _("24 小时内")}


def amounts() -> dict[str, str]:
    return {
        "-20": _("¥20 以下"),
        "20-50": _("¥20–50"),
        "50-200": _("¥50–200"),
        "200-1000": _("¥200–1000"),
        "1000-": _("¥1000 以上"),
    }


def orders() -> dict[str, str]:
    return {
        "due": _("最急的在前"),
        "amount": _("金额大的在前"),
        "oldest": _("等得最久的在前"),
        "newest": _("最新的在前"),
    }


def mine() -> str:
    return _("我负责的")


def unclaimed() -> str:
    return _("没有人认领的")


@cache
def _own(_language: Language) -> Mapping[str, Mapping[str, str]]:
    """Words of the record's own codes, which no rulebook holds; in the language of the page."""
    return {
        "platform_mark": {"tmall": _("天猫"), "taobao": _("淘宝"), "pdd": _("拼多多")},
        **_effects(),
        "role": {
            "agent": _("客服"),
            "lead": _("主管"),
            "finance": _("财务"),
            "warehouse": _("仓库"),
            "owner": _("店主"),
            "helper": _("支援"),
        },
        "origin": {"automatic": _("自动"), "person": _("人工"), "platform": _("平台")},
        "difference": {
            "only_ours": _("只有我们记了"),
            "only_theirs": _("只有平台付了"),
            "amount": _("金额不同"),
        },
        **_times(),
        "chain_break": {
            "changed": _("这一笔被改过"),
            "missing": _("这一笔不见了"),
            "unsealed": _("这一笔绕过账本写了进来"),
            "gap": _("中间少了封存"),
            "link": _("和上一笔接不上"),
            "cut": _("尾部被截掉了"),
            "rewritten": _("历史被重写过"),
        },
        "speaker": {
            "buyer": _("买家"),
            "seller": _("商家"),
            "platform": _("平台"),
            "reconciliation": _("对账"),
        },
        "funder": {
            "seller": _("商家优惠"),
            "platform": _("平台优惠"),
            "shop": _("店铺优惠"),
            "buyer": _("买家实付"),
            "cash": _("现金"),
            "deposit": _("定金"),
            "balance": _("余额"),
            "gift_card": _("礼品卡"),
            "points": _("积分"),
            "voucher": _("代金券"),
            "other": _("其他优惠"),
            "unpaid": _("未付部分"),
        },
    }


def _effects() -> dict[str, dict[str, str]]:
    return {
        "intent_kind": {
            "automatic_money": _("全部自动付款"),
            "agree_refund": _("同意退款"),
            "agree_return": _("同意退货"),
            "refuse": _("拒绝"),
            "intercept": _("拦截快递"),
            "message": _("发消息"),
            "memo": _("写备忘"),
            "cancel_shipment": _("取消发货"),
            "review": _("转平台审核"),
        },
        "intent_state": {
            "planned": _("等待复核"),
            "approved": _("待发送"),
            "sending": _("发送中"),
            "done": _("已完成"),
            "refused": _("被平台拒绝"),
            "unknown": _("结果未知，正在核对"),
            "cancelled": _("已取消"),
            "with_person": _("交给人处理"),
        },
    }


def _times() -> dict[str, dict[str, str]]:
    return {
        "promise_state": {
            "open": _("还没做到"),
            "kept": _("做到了"),
            "broken": _("没做到"),
            "withdrawn": _("不需要了"),
        },
        "span": {"hour": _("这一小时"), "day": _("今天")},
        "deadline": {"platform": _("平台期限已过"), "target": _("自定目标已过")},
        "missed": {
            "arrived_late": _("收到时已经过期"),
            "person": _("在等人处理"),
            "stopped": _("被开关停住"),
            "restored": _("恢复后在核对"),
            "down": _("工作进程没有运行"),
            "platform": _("平台没有给出结果"),
            "slow": _("没有来得及处理"),
        },
    }
