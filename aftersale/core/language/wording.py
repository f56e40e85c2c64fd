"""Conditions, values and changes as people read them, in Chinese or English, from the catalogue's titles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Literal, cast

from aftersale.core.expression import (
    SECONDS,
    After,
    Age,
    Arith,
    Call,
    Case,
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
    Ref,
    Shift,
    Value,
    walk,
)
from aftersale.core.facts import Fact
from aftersale.core.language.grammar import SHANGHAI
from aftersale.core.look import Env, evaluate
from aftersale.core.money import yuan_text
from aftersale.core.rulebook import Book, Rule, Setting

Language = Literal["zh", "en"]
CLOCK = "minute of the day"
"""The unit of numbers that people read as a time of day."""
_SIGNS = {"=": "=", "<>": "≠", "<": "<", "<=": "≤", ">": ">", ">=": "≥"}
_WORDS: Mapping[Language, Mapping[str, str]] = {
    "zh": {
        "yes": "是", "no": "否", "unknown": "未知", "unknown_why": "未知（{why}）",
        "hours": "{n} 小时", "minutes": "{n} 分钟", "days": "{n} 天",
        "below": "不到 {n}", "above": "超过 {n}", "list": "、", "empty": "（空）",
        "in": "{left} 属于 {right}", "not_in": "{left} 不属于 {right}",
        "is_null": "{left} 没有信息", "not_null": "{left} 有信息",
        "and": "（{parts}）", "and_join": " 并且 ", "or": "（{parts}）", "or_join": " 或者 ",
        "not": "并非（{part}）", "true": "{part} 成立", "false": "{part} 明确不成立",
        "not_true": "{part}（不成立或未知）", "not_false": "{part}（成立或未知）",
        "after": "{at} 起生效", "before": "{at} 前有效", "case": "按条件取值 {value}",
        "coalesce": "首个已知（{parts}）", "least": "较小者（{parts}）", "greatest": "较大者（{parts}）",
        "percent_of": "{a} 的 {b}%",
        "change": "{title} 由 {before} 变为 {after}", "change_join": "，并且 ",
        "leads": "如果 {changes}，则命中「{rule}」",
        "leaves": "如果 {changes}，则不再命中「{rule}」",
        "nothing": "如果 {changes}，则没有规则命中",
    },
    "en": {
        "yes": "yes", "no": "no", "unknown": "unknown", "unknown_why": "unknown ({why})",
        "hours": "{n} h", "minutes": "{n} min", "days": "{n} d",
        "below": "less than {n}", "above": "more than {n}", "list": ", ", "empty": "(none)",
        "in": "{left} is one of {right}", "not_in": "{left} is none of {right}",
        "is_null": "{left} is not known", "not_null": "{left} is known",
        "and": "({parts})", "and_join": " and ", "or": "({parts})", "or_join": " or ",
        "not": "not ({part})", "true": "{part} holds", "false": "{part} certainly does not hold",
        "not_true": "{part} (no or unknown)", "not_false": "{part} (yes or unknown)",
        "after": "in force from {at}", "before": "in force until {at}", "case": "conditional value {value}",
        "coalesce": "first known of ({parts})", "least": "smaller of ({parts})",
        "greatest": "larger of ({parts})", "percent_of": "{b}% of {a}",
        "change": "{title} changes from {before} to {after}", "change_join": " and ",
        "leads": "If {changes}, then “{rule}” applies",
        "leaves": "If {changes}, then “{rule}” no longer applies",
        "nothing": "If {changes}, then no rule applies",
    },
}  # fmt: skip


def clock(minute: int) -> str:
    """A minute of the day as its time."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def bare(setting: Setting) -> bool:
    """Whether its values are shown without their unit, which is then to be told beside them."""
    told = setting.type.kind in ("hours", "minutes", "days", "fen", "bool", "list") or setting.unit == CLOCK
    return bool(setting.unit) and not told


@dataclass(frozen=True)
class Wording:
    """Speaks about one case: the book, what it reads, the language. `general`: about every case, without values."""

    book: Book
    env: Env
    language: Language
    general: bool = False

    @cached_property
    def _aged(self) -> frozenset[str]:
        """Facts that the book reads as ages."""
        return frozenset(part.fact for part in self.book.walk() if isinstance(part, Age))

    def labels(self, fact: Fact) -> Mapping[str, str]:
        return (fact.labels if self.language == "zh" else fact.labels_en) or {}

    def title(self, of: Fact | Rule | Setting) -> str:
        return of.title if self.language == "zh" else of.title_en

    def read(self, name: str) -> Value | None:
        """A fact's value as shown in a trace: an age as a number of its unit, two decimals."""
        fact = self.env.catalogue[name]
        found = evaluate(Ref(name), self.env)
        return self._age(fact, found) if fact.moment and isinstance(found, datetime) else found

    def text(self, node: Node) -> str:
        """A condition with the values in it: `申请金额 ¥12.00 ≤ 小金额自动退的上限 ¥10.00`."""
        match node:
            case Compare(op, Ref(name), Lit(str() as value)) if value in self.labels(
                self.env.catalogue[name]
            ):
                label = self.labels(self.env.catalogue[name])[value]
                return f"{self.side(Ref(name), None)} {_SIGNS[op]} {label}"
            case Compare(op, left, right):
                kind = self.kind(left) or self.kind(right)
                return f"{self.side(left, kind)} {_SIGNS[op]} {self.side(right, kind)}"
            case Age(name, op, bound):
                fact = self.env.catalogue[name]
                return f"{self.side(Ref(name), None)} {_SIGNS[op]} {self.side(bound, fact.type.kind)}"
            case Ref() | Not(Ref()):
                fact_node, wanted = (node.item, False) if isinstance(node, Not) else (node, True)
                return f"{self.side(fact_node, 'bool')} = {self.show(wanted, 'bool')}"
            case Knob():
                return f"{self.side(node, 'bool')} = {self.show(True, 'bool')}"
            case Logic(op, items):
                return self._say(op, parts=self._say(f"{op}_join").join(map(self.text, items)))
            case After(at):
                return self._say("after", at=self.show(at, "timestamptz"))
            case _:
                return self._text_of_tests(node)

    def _text_of_tests(self, node: Node) -> str:
        match node:
            case Not(After(at)):
                return self._say("before", at=self.show(at, "timestamptz"))
            case Not(In(item, options)):
                return self._say("not_in", left=self.side(item, None), right=self.options(item, options))
            case In(item, options):
                return self._say("in", left=self.side(item, None), right=self.options(item, options))
            case Not(IsNull(item)):
                return self._say("not_null", left=self.side(item, None))
            case IsNull(item):
                return self._say("is_null", left=self.side(item, None))
            case Not(IsTruth(item, truth)):
                return self._say("not_true" if truth else "not_false", part=self.text(item))
            case Not(item):
                return self._say("not", part=self.text(item))
            case IsTruth(item, truth):
                return self._say("true" if truth else "false", part=self.text(item))
        return self.side(node, "bool")

    def flip(
        self, changes: Sequence[tuple[str, Value | None, Value | None]], rule: str | None, gained: bool
    ) -> str:
        """One sentence about changes (fact, before, after) and the rule that then joins or leaves."""
        said = self._say("change_join").join(self._change(*change) for change in changes)
        if rule is None:
            return self._say("nothing", changes=said)
        title = next(self.title(r) for r in self.book.rules if r.name == rule)
        return self._say("leads" if gained else "leaves", changes=said, rule=title)

    def _change(self, name: str, before: Value | None, after: Value | None) -> str:
        """A moment that only ages count from is spoken of as its age."""
        fact = self.env.catalogue[name]
        age = next(
            (f for f in self.env.catalogue.values() if f.moment == name and f.name in self._aged), fact
        )
        shown = self.show_fact(age, before), self.show_fact(age, after)
        return self._say("change", title=self.title(age), before=shown[0], after=shown[1])

    def show_fact(self, fact: Fact, value: Value | None) -> str:
        """A fact's value alone; unknown with what that means."""
        if value is None:
            why = fact.unknown if self.language == "zh" else ""
            return self._say("unknown_why", why=why) if why else self._say("unknown")
        if fact.moment and isinstance(value, datetime):
            return self._show_age(fact, value)
        return self.labels(fact).get(str(value)) or self.show(value, fact.type.kind, fact.unit)

    def show(self, value: Value | None, kind: Kind | None, unit: str | None = None) -> str:
        """A value by its kind: money in yuan, moments in Shanghai time, durations with their unit, minutes as 09:00."""
        match value:
            case None:
                return self._say("unknown")
            case bool():
                return self._say("yes" if value else "no")
            case datetime():
                return f"{value.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
            case tuple():
                return self._say("list").join(map(str, value)) or self._say("empty")
            case int() if kind == "fen":
                return yuan_text(value)
            case int() if unit == CLOCK:
                return clock(value)
            case _:
                return self._say(kind, n=value) if kind in SECONDS else str(value)

    def _say(self, word: str, **parts: object) -> str:
        return _WORDS[self.language][word].format(**parts)

    def _age(self, fact: Fact, moment: datetime) -> float:
        elapsed = self.env.now - moment if fact.since else moment - self.env.now
        return round(elapsed / timedelta(seconds=SECONDS[fact.type.kind]), 2)

    def _show_age(self, fact: Fact, moment: datetime) -> str:
        """71.99… is 'less than 72 h': a rounded number would contradict the sign beside it."""
        unit = timedelta(seconds=SECONDS[fact.type.kind])
        elapsed = self.env.now - moment if fact.since else moment - self.env.now
        whole = round(elapsed / unit)
        rest = elapsed - whole * unit
        if rest and abs(rest) < timedelta(seconds=30):
            side = "below" if rest < timedelta() else "above"
            return self._say(side, n=self._say(fact.type.kind, n=whole))
        return self._say(fact.type.kind, n=f"{elapsed / unit:.2f}".rstrip("0").rstrip("."))

    def kind(self, node: Node) -> Kind | None:
        """The kind of the first fact or setting in an expression; None over literals only."""
        for part in walk(node):
            if isinstance(part, Shift):
                return "timestamptz"
            if isinstance(part, Ref):
                return self.env.catalogue[part.name].type.kind
            if isinstance(part, Knob):
                return self.book.settings[part.name].type.kind
        return None

    def side(self, node: Node, kind: Kind | None) -> str:
        """A side of a comparison: titles with values."""
        match node:
            case Lit(value):
                return self.show(value, kind)
            case Ref(name):
                fact = self.env.catalogue[name]
                read = "" if self.general else f" {self.show_fact(fact, evaluate(node, self.env))}"
                return f"{self.title(fact)}{read}"
            case Knob(name):
                setting = self.book.settings[name]
                value = self.show(self.env.settings[name], setting.type.kind, setting.unit)
                return f"{self.title(setting)} {value}"
            case Arith(op, left, right):
                inner: Kind | None = "int" if op == "*" else kind
                return f"{self.side(left, kind)} {op} {self.side(right, inner)}"
            case Shift(moment, sign, count, seconds):
                unit = next(name for name, length in SECONDS.items() if length == seconds)
                span = self.side(count, cast("Kind", unit))
                return f"{self.side(moment, None)} {'+' if sign == 1 else '-'} {span}"
            case Call("percent_of", (amount, percent)):
                return self._say("percent_of", a=self.side(amount, kind), b=self.side(percent, "int"))
            case Call(name, items):
                return self._say(name, parts=self._say("list").join(self.side(item, kind) for item in items))
            case Case():
                shown = "…" if self.general else self.show(evaluate(node, self.env), kind)
                return self._say("case", value=shown)
        return self.text(node)

    def options(self, item: Node, options: tuple[Lit, ...] | Knob) -> str:
        """What a value is looked for among."""
        kind = self.kind(item)
        labels = self.labels(self.env.catalogue[item.name]) if isinstance(item, Ref) else {}
        if isinstance(options, Knob):
            values = self.env.settings[options.name]
            if not labels or not isinstance(values, tuple) or not values:
                return self.side(options, kind)
            named = self._say("list").join(labels.get(str(value), str(value)) for value in values)
            return f"{self.title(self.book.settings[options.name])} {named}"
        shown = [labels.get(str(option.value)) or self.show(option.value, kind) for option in options]
        return self._say("list").join(shown)
