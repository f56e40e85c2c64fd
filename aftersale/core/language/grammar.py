"""From a rule's SQL text to the typed tree: `sqlglot` parses, only what is listed here passes."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, Literal, NoReturn, cast

import sqlglot
from sqlglot import exp

from aftersale.core.expression import (
    FLIPPED,
    NUMBERS,
    SECONDS,
    STRINGS,
    Age,
    Arith,
    Call,
    Case,
    Compare,
    ExpressionError,
    In,
    IsNull,
    IsTruth,
    Kind,
    Knob,
    Lit,
    Node,
    Not,
    Op,
    Ref,
    Shift,
    Type,
    both,
    unify,
)
from aftersale.core.language.saying import Saying, closest, plain, saying

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
BOOL, NUMBER, NULL, MOMENT = Type("bool"), Type("number"), Type("null"), Type("timestamptz")
KIND_TITLES: dict[Kind, Saying] = {
    "bool": saying("是非"), "int": saying("整数"), "fen": saying("金额"), "text": saying("文本"),
    "enum": saying("枚举"), "timestamptz": saying("时间"), "hours": saying("小时数"), "minutes": saying("分钟数"),
    "days": saying("天数"), "decimal": saying("小数"), "list": saying("列表"), "number": saying("数字"),
    "string": saying("文本"), "null": saying("空值"), "json": saying("结构"),
}  # fmt: skip
_COMPARISONS: dict[type[exp.Expression], Op] = {
    exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=",
}  # fmt: skip
_ARITHMETIC: dict[type[exp.Expression], Literal["+", "-", "*"]] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*"}
_FUNCTIONS: dict[type[exp.Expression], Literal["coalesce", "least", "greatest"]] = {
    exp.Coalesce: "coalesce", exp.Least: "least", exp.Greatest: "greatest",
}  # fmt: skip

Typed = tuple[Node, Type]
LENGTH_MAX = 10_000
DEPTH_MAX = 100
TOO_DEEP = saying("表达式太长或嵌套太深")


@dataclass(frozen=True)
class Scope:
    """The names an expression may use. `list_uses` collects what each list setting is compared with."""

    facts: Mapping[str, Type]
    settings: Mapping[str, Type] = field(default_factory=dict)
    list_uses: list[tuple[str, Type]] = field(default_factory=list)


def parse_condition(text: str, scope: Scope) -> Node:
    """A boolean expression. Raises ExpressionError with the position and the reason."""
    reader = _Reader(text, scope)
    root = reader.root()
    return reader.condition(root)


def parse_value(text: str, scope: Scope, wanted: Type | None = None) -> Typed:
    """An expression of the wanted type (of any, when None). Raises ExpressionError."""
    reader = _Reader(text, scope)
    root = reader.root()
    node, found = reader.read(root)
    if found.age:
        reader.fail(root, "时长类事实只能与阈值比较")
    if wanted is None:
        return node, found
    return reader.fit((node, found), wanted, root)


def nearest(name: str, known: Iterable[object]) -> str:
    """'，最近的是 x' when some known name is similar, else ''."""
    return plain(closest(name, known))


def moment(text: str) -> datetime | None:
    """ISO date or time; without an offset it is Asia/Shanghai. None when it is neither."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=SHANGHAI)


def _depth(root: Any) -> int:
    """Levels of the parsed text, counted without the recursion this guards against."""
    depth, level = 0, [root]
    while level:
        depth, level = depth + 1, [child for node in level for child in node.iter_expressions()]
    return depth


class _Reader:
    """One text being read; every method returns a tree with its type, or raises with a position."""

    def __init__(self, text: str, scope: Scope) -> None:
        self.text = text
        self.scope = scope

    def root(self) -> exp.Expression:
        try:
            found = sqlglot.parse_one(self.text, read="postgres")
        except sqlglot.errors.SqlglotError as error:
            why = saying("读不成表达式，请检查括号、引号和关键字")
            raise ExpressionError(self._error_position(error), why) from None
        except RecursionError:
            raise ExpressionError(None, TOO_DEEP) from None
        if len(self.text) > LENGTH_MAX or _depth(found) > DEPTH_MAX:
            raise ExpressionError(None, TOO_DEEP)
        return cast("exp.Expression", found)

    def _error_position(self, error: sqlglot.errors.SqlglotError) -> int | None:
        spots: list[dict[str, Any]] = getattr(error, "errors", [])
        if not spots or not spots[0].get("highlight"):
            return None
        before = str(spots[0].get("start_context") or "")
        at = self.text.find(before + str(spots[0]["highlight"]))
        return None if at < 0 else at + len(before) + 1

    def fail(self, node: exp.Expression, say: str, /, **values: object) -> NoReturn:
        raise ExpressionError(self._position(node), saying(say, **values))

    def _position(self, node: exp.Expression) -> int | None:
        starts = [part.meta["start"] for part in node.walk() if "start" in part.meta]
        for knob in node.find_all(exp.Placeholder):
            found = re.search(rf":{re.escape(str(knob.this))}\b", self.text)
            starts += [found.start()] if found else []
        return min(starts) + 1 if starts else None

    def condition(self, node: exp.Expression) -> Node:
        found, kind = self.read(node)
        if kind.kind not in ("bool", "null"):
            self.fail(node, "这里需要一个条件，得到的是%(kind)s", kind=KIND_TITLES[kind.kind])
        return found

    def read(self, node: exp.Expression) -> Typed:
        if type(node) in _COMPARISONS:
            return self._compare(node), BOOL
        if type(node) in _ARITHMETIC:
            return self._arithmetic(node)
        if type(node) in _FUNCTIONS:
            return self._call(node)
        method = _READERS.get(type(node))
        if method is None:
            self.fail(node, "规则里不能用 %(text)s(%(key)s)", text=node.sql()[:40], key=node.key)
        return method(self, node)

    def _paren(self, node: exp.Expression) -> Typed:
        return self.read(node.this)

    def _logic(self, node: exp.Expression) -> Typed:
        op: Literal["and", "or"] = "and" if isinstance(node, exp.And) else "or"
        parts: list[exp.Expression] = []
        while isinstance(node, exp.And if op == "and" else exp.Or):
            parts.append(node.expression)
            node = node.this
        return both(op, tuple(self.condition(part) for part in [node, *reversed(parts)])), BOOL

    def _not(self, node: exp.Expression) -> Typed:
        return Not(self.condition(node.this)), BOOL

    def _column(self, node: exp.Expression) -> Typed:
        name = node.name
        if isinstance(node, exp.Column) and node.table:
            self.fail(node, "事实没有前缀，请直接写 %(name)s", name=name)
        if name not in self.scope.facts:
            near = closest(name, self.scope.facts)
            self.fail(node, "没有名为 %(name)s 的事实%(nearest)s", name=name, nearest=near)
        return Ref(name), self.scope.facts[name]

    def _knob(self, node: exp.Expression) -> Typed:
        name = str(node.this)
        if name not in self.scope.settings:
            near = closest(name, self.scope.settings)
            self.fail(node, "没有名为 :%(name)s 的设置%(nearest)s", name=name, nearest=near)
        return Knob(name), self.scope.settings[name]

    def _literal(self, node: exp.Expression) -> Typed:
        text = str(node.this)
        if isinstance(node, exp.Literal) and node.is_string:
            return Lit(text), Type("string", frozenset({text}))
        if not text.isdecimal():
            self.fail(node, "数字必须是整数（金额以分计），得到的是 %(text)s", text=text)
        return Lit(int(text)), NUMBER

    def _negative(self, node: exp.Expression) -> Typed:
        inner, kind = self._number(node.this)
        return (Lit(-cast("int", inner.value)) if isinstance(inner, Lit) else Arith("-", Lit(0), inner)), kind

    def _boolean(self, node: exp.Expression) -> Typed:
        return Lit(bool(node.this)), BOOL

    def _null(self, node: exp.Expression) -> Typed:
        return Lit(None), NULL

    def _compare(self, node: exp.Expression) -> Node:
        op = _COMPARISONS[type(node)]
        left, right = self.read(node.this), self.read(node.expression)
        if left[1].age or right[1].age:
            return self._age(node, op, left, right)
        left, right = self._alike(left, right, node)
        if op not in ("=", "<>") and left[1].kind in STRINGS | {"bool"}:
            self.fail(node, "%(kind)s只能用 = 或 <> 比较", kind=KIND_TITLES[left[1].kind])
        return Compare(op, left[0], right[0])

    def _age(self, node: exp.Expression, op: Op, left: Typed, right: Typed) -> Node:
        if right[1].age:
            left, right, op = right, left, FLIPPED[op]
        if op in ("=", "<>") or not isinstance(left[0], Ref) or right[1].age:
            self.fail(node, "时长类事实只能用 <、<=、>、>= 与一个阈值比较")
        if unify(Type(left[1].kind), right[1]) is None or right[1].kind == "null":
            kind, other = KIND_TITLES[left[1].kind], KIND_TITLES[right[1].kind]
            self.fail(node, "%(kind)s不能与%(other)s比较", kind=kind, other=other)
        return Age(left[0].name, op, right[0])

    def _alike(self, left: Typed, right: Typed, node: exp.Expression) -> tuple[Typed, Typed]:
        kinds = {left[1].kind, right[1].kind}
        if "null" in kinds:
            self.fail(node, "与 null 比较永远是未知，请写 is null 或 is not null")
        if "list" in kinds:
            self.fail(node, "列表设置只能写成 x in :name")
        if kinds == {"timestamptz", "string"}:
            return self.fit(left, MOMENT, node), self.fit(right, MOMENT, node)
        if unify(left[1], right[1]) is None:
            wanted = right[1] if left[1].kind == "string" else left[1]
            given = left if left[1].kind == "string" else right
            self.fit(given, wanted, node)
        return left, right

    def fit(self, given: Typed, wanted: Type, node: exp.Expression) -> Typed:
        """The value as the wanted type, or an error which names the nearest member of an enum."""
        found, kind = given
        if kind.kind == "string" and wanted.kind == "timestamptz" and isinstance(found, Lit):
            at = moment(str(found.value))
            if at is None:
                self.fail(
                    node, "%(value)s 不是时间，请写成 2017-04-21 或 2017-04-21 09:00", value=repr(found.value)
                )
            return Lit(at), MOMENT
        both_types = unify(kind, wanted)
        if both_types is None and kind.kind == "string" and wanted.kind == "enum":
            strange = min(kind.values - wanted.values)
            near = closest(strange, wanted.values)
            self.fail(node, "取值里没有 %(value)s%(nearest)s", value=repr(strange), nearest=near)
        if both_types is None or (wanted.kind == "enum" and not kind.values <= wanted.values):
            given_kind, wanted_kind = KIND_TITLES[kind.kind], KIND_TITLES[wanted.kind]
            self.fail(node, "需要%(wanted)s，得到的是%(kind)s", wanted=wanted_kind, kind=given_kind)
        return found, wanted

    def _in(self, node: exp.Expression) -> Typed:
        item, kind = self.read(node.this)
        if kind.kind not in STRINGS | {"int", "fen"}:
            self.fail(node, "%(kind)s不能用 in", kind=KIND_TITLES[kind.kind])
        knob = node.args.get("field")
        if isinstance(knob, exp.Placeholder):
            return self._in_setting(item, kind, knob), BOOL
        options = [option if isinstance(option, exp.Expression) else None for option in node.expressions]
        if not options:
            self.fail(node, "in 后面需要取值列表或一个列表设置")
        literals = [self.fit(self.read(cast("exp.Expression", part)), kind, node)[0] for part in options]
        if not all(isinstance(part, Lit) for part in literals):
            self.fail(node, "in 的列表里只能写常量")
        return In(item, tuple(cast("list[Lit]", literals))), BOOL

    def _in_setting(self, item: Node, kind: Type, node: exp.Placeholder) -> Node:
        knob, found = self._knob(node)
        if found.kind != "list":
            self.fail(node, ":%(name)s 不是列表设置", name=str(node.this))
        self.scope.list_uses.append((str(node.this), kind))
        return In(item, cast("Knob", knob))

    def _between(self, node: exp.Expression) -> Typed:
        if node.args.get("symmetric"):
            self.fail(node, "不能用 between symmetric")
        low = exp.GTE(this=node.this.copy(), expression=node.args["low"].copy())
        high = exp.LTE(this=node.this.copy(), expression=node.args["high"].copy())
        return both("and", (self._compare(low), self._compare(high))), BOOL

    def _is(self, node: exp.Expression) -> Typed:
        item, kind = self.read(node.this)
        found: Node
        if isinstance(node.expression, exp.Null):
            found = IsNull(item)
        elif isinstance(node.expression, exp.Boolean) and kind.kind in ("bool", "null"):
            found = IsTruth(item, bool(node.expression.this))
        else:
            self.fail(node, "is 后面只能是 null，条件还可以是 true 或 false")
        return (Not(found) if node.args.get("negate") else found), BOOL

    def _case(self, node: exp.Expression) -> Typed:
        if node.this is not None:
            self.fail(node, "请写成 case when 条件 then 值 … end")
        branches = [(self.condition(part.this), part.args["true"]) for part in node.args["ifs"]]
        results = [part for _, part in branches]
        default = node.args.get("default")
        values, kind = self._same(node, [*results, default if default is not None else exp.Null()])
        pairs = zip((when for when, _ in branches), values, strict=False)
        return Case(tuple(pairs), values[-1]), kind

    def _same(self, node: exp.Expression, parts: list[exp.Expression]) -> tuple[list[Node], Type]:
        """The parts and the type that holds them all."""
        read = [self.read(part) for part in parts]
        kind = NULL
        for part, (_, found) in zip(parts, read, strict=True):
            joined = None if found.age or found.kind == "list" else unify(kind, found)
            if joined is None:
                both_kinds = {"kind": KIND_TITLES[kind.kind], "other": KIND_TITLES[found.kind]}
                self.fail(part, "%(kind)s与%(other)s不能放在一起", **both_kinds)
            kind = joined
        return [value for value, _ in read], kind

    def _call(self, node: exp.Expression) -> Typed:
        name = _FUNCTIONS[type(node)]
        values, kind = self._same(node, [node.this, *node.expressions])
        if name != "coalesce" and kind.kind not in NUMBERS | {"timestamptz"}:
            self.fail(node, "%(name)s 只用于数字、金额或时间", name=name)
        return Call(name, tuple(values)), kind

    def _named(self, node: exp.Expression) -> Typed:
        name = str(node.this).lower()
        parts = [self._number(part) for part in node.expressions]
        if name in SECONDS and len(parts) == 1 and parts[0][1].kind in ("int", "number", name):
            return parts[0][0], Type(cast("Kind", name))
        if name == "percent_of" and len(parts) == 2 and parts[1][1].kind in ("int", "number"):
            return Call("percent_of", (parts[0][0], parts[1][0])), parts[0][1]
        self.fail(node, "规则里不能用函数 %(text)s", text=node.sql()[:40])

    def _number(self, node: exp.Expression) -> Typed:
        found = self.read(node)
        if found[1].kind not in NUMBERS or found[1].age:
            self.fail(node, "这里需要数字，得到的是%(kind)s", kind=KIND_TITLES[found[1].kind])
        return found

    def _arithmetic(self, node: exp.Expression) -> Typed:
        op = _ARITHMETIC[type(node)]
        left = self.read(node.this)
        if left[1].kind == "timestamptz" and op != "*":
            return self._shift(node, left[0], 1 if op == "+" else -1)
        left, right = self._number(node.this), self._number(node.expression)
        if op == "*":
            plain = left[1].kind in ("int", "number")
            if not plain and right[1].kind not in ("int", "number"):
                self.fail(node, "乘法至少有一边是普通整数")
            kind = right[1] if plain and right[1].kind != "number" else left[1]
            return Arith(op, left[0], right[0]), kind
        joined = unify(left[1], right[1])
        if joined is None:
            kinds = {"kind": KIND_TITLES[left[1].kind], "other": KIND_TITLES[right[1].kind]}
            self.fail(node, "%(kind)s与%(other)s不能相加减", **kinds)
        return Arith(op, left[0], right[0]), joined

    def _shift(self, node: exp.Expression, at: Node, sign: Literal[1, -1]) -> Typed:
        count, kind = self._number(node.expression)
        if kind.kind not in SECONDS:
            self.fail(node, "时间只能加减时长:hours(24)、days(7)、minutes(30) 或时长类设置")
        return Shift(at, sign, count, SECONDS[kind.kind]), MOMENT


_READERS: dict[type[exp.Expression], Callable[[_Reader, exp.Expression], Typed]] = {
    exp.Paren: _Reader._paren,
    exp.And: _Reader._logic,
    exp.Or: _Reader._logic,
    exp.Not: _Reader._not,
    exp.Column: _Reader._column,
    exp.Placeholder: _Reader._knob,
    exp.Literal: _Reader._literal,
    exp.Neg: _Reader._negative,
    exp.Boolean: _Reader._boolean,
    exp.Null: _Reader._null,
    exp.In: _Reader._in,
    exp.Between: _Reader._between,
    exp.Is: _Reader._is,
    exp.Case: _Reader._case,
    exp.Anonymous: _Reader._named,
}
