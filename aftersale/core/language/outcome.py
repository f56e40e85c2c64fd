"""What is so instead of a condition that does not hold, as a person would say it."""

from collections.abc import Mapping

from aftersale.core.expression import (
    After,
    Age,
    Compare,
    In,
    IsNull,
    IsTruth,
    Kind,
    Knob,
    Lit,
    Logic,
    Node,
    Not,
    Op,
    Ref,
    walk,
)
from aftersale.core.language.wording import Language, Wording
from aftersale.core.look import evaluate

_OPPOSITE: Mapping[Op, Op] = {"=": "<>", "<>": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_HOLDS: Mapping[Language, Mapping[Op, str]] = {
    "zh": {"=": "等于", "<>": "不等于", "<": "不到", "<=": "没有超过", ">": "超过", ">=": "不少于"},
    "en": {
        "=": "is", "<>": "is not", "<": "is less than", "<=": "is no more than",
        ">": "is more than", ">=": "is no less than",
    },
}  # fmt: skip
_MOMENTS: Mapping[Language, Mapping[Op, str]] = {
    "zh": {"<": "早于", "<=": "不晚于", ">": "晚于", ">=": "不早于"},
    "en": {"<": "is before", "<=": "is not after", ">": "is after", ">=": "is not before"},
}
_WORDS: Mapping[Language, Mapping[str, str]] = {
    "zh": {
        "is": "{title}是「{value}」", "is_not": "{title}是「{value}」，不是「{other}」",
        "in": "{left}，属于：{right}", "not_in": "{left}，不属于：{right}", "answer": "{title}：{value}",
        "null": "没有{title}", "not_null": "已有{left}", "after": "{at} 起已经失效", "not_after": "{at} 才生效",
        "unknown": "不知道{title}", "unknown_whether": "不知道是否{title}", "why": "{said}（{why}）",
        "so": "{part} 成立", "not_so": "{part} 不成立", "join": "，",
    },
    "en": {
        "is": "{title} is “{value}”", "is_not": "{title} is “{value}”, not “{other}”",
        "in": "{left}, one of: {right}", "not_in": "{left}, none of: {right}", "answer": "{title}: {value}",
        "null": "{title} is missing", "not_null": "There is already {left}",
        "after": "no longer in force since {at}", "not_after": "in force only from {at}",
        "unknown": "{title} is not known", "unknown_whether": "{title} is not known", "why": "{said} ({why})",
        "so": "{part} holds", "not_so": "{part} does not hold", "join": ", ",
    },
}  # fmt: skip


def outcome(wording: Wording, node: Node) -> str:
    """How the case stands on the condition: `申请金额 ¥12.00 超过 小金额的上限 ¥10.00`, `不知道是否已发货`."""
    truth = evaluate(node, wording.env)
    return _unknown(wording, node) if truth is None else _told(wording, node, truth is True)


def _say(wording: Wording, word: str, **parts: str) -> str:
    return _WORDS[wording.language][word].format(**parts)


def _unknown(wording: Wording, node: Node) -> str:
    """The facts nobody knows; in a list of conditions only of those that are open."""
    if isinstance(node, Logic):
        return _open(wording, node)
    named = [
        part.name if isinstance(part, Ref) else part.fact
        for part in walk(node)
        if isinstance(part, Ref | Age)
    ]
    missing = [name for name in dict.fromkeys(named) if evaluate(Ref(name), wording.env) is None]
    said = [_missing(wording, name) for name in missing]
    return _say(wording, "join").join(said) or wording.text(node)


def _missing(wording: Wording, name: str) -> str:
    fact = wording.env.catalogue[name]
    word = "unknown_whether" if fact.type.kind == "bool" else "unknown"
    said = _say(wording, word, title=wording.title(fact))
    why = fact.unknown if wording.language == "zh" else ""
    return said if why in ("", wording.show(None, None)) else _say(wording, "why", said=said, why=why)


def _open(wording: Wording, node: Logic) -> str:
    lacking = [part for part in node.items if evaluate(part, wording.env) is not True]
    return _say(wording, "join").join(outcome(wording, part) for part in lacking)


def _told(wording: Wording, node: Node, truth: bool) -> str:
    match node:
        case Compare(op, left, right):
            return _compared(wording, op if truth else _OPPOSITE[op], left, right)
        case Age(name, op, bound):
            kind = wording.env.catalogue[name].type.kind
            return _related(wording, op if truth else _OPPOSITE[op], Ref(name), bound, kind)
        case Not(item):
            return _told(wording, item, not truth)
        case Ref(name):
            title = wording.title(wording.env.catalogue[name])
            return _say(wording, "answer", title=title, value=wording.show(truth, "bool"))
        case Knob(name):
            title = wording.title(wording.book.settings[name])
            return _say(wording, "answer", title=title, value=wording.show(truth, "bool"))
        case Logic():
            return _joined(wording, node, truth)
        case _:
            return _tested(wording, node, truth)


def _tested(wording: Wording, node: Node, truth: bool) -> str:
    match node:
        case In(Ref() as item, tuple()) if truth:
            return _is(wording, item)
        case In(item, options):
            word = "in" if truth else "not_in"
            return _say(wording, word, left=_is(wording, item), right=wording.options(item, options))
        case IsNull(Ref(name)) if truth:
            return _say(wording, "null", title=wording.title(wording.env.catalogue[name]))
        case IsNull(Ref() as item):
            return _say(wording, "not_null", left=wording.side(item, None))
        case IsTruth(item, wanted):
            return _told(wording, item, wanted) if truth else outcome(wording, item)
        case After(at):
            return _say(wording, "after" if truth else "not_after", at=wording.show(at, "timestamptz"))
    return _say(wording, "so" if truth else "not_so", part=wording.text(node))


def _joined(wording: Wording, node: Logic, truth: bool) -> str:
    """What decides: all parts that made the whole what it is."""
    if not truth:
        return _open(wording, node)
    holding = [part for part in node.items if evaluate(part, wording.env) is True]
    return _say(wording, "join").join(_told(wording, part, True) for part in holding)


def _compared(wording: Wording, op: Op, left: Node, right: Node) -> str:
    match left, right:
        case Ref(name), Lit(str() as value) if op in ("=", "<>"):
            fact = wording.env.catalogue[name]
            other = wording.labels(fact).get(value, value)
            now = wording.show_fact(fact, evaluate(left, wording.env))
            word = "is" if op == "=" else "is_not"
            return _say(wording, word, title=wording.title(fact), value=now, other=other)
    return _related(wording, op, left, right, wording.kind(left) or wording.kind(right))


def _related(wording: Wording, op: Op, left: Node, right: Node, kind: Kind | None) -> str:
    words = _HOLDS[wording.language]
    if kind == "timestamptz":
        words = {**words, **_MOMENTS[wording.language]}
    at_left = wording.side(left, None if isinstance(left, Ref) else kind)
    return f"{at_left} {words[op]} {wording.side(right, kind)}"


def _is(wording: Wording, item: Node) -> str:
    if not isinstance(item, Ref):
        return wording.side(item, None)
    fact = wording.env.catalogue[item.name]
    now = wording.show_fact(fact, evaluate(item, wording.env))
    return _say(wording, "is", title=wording.title(fact), value=now)
