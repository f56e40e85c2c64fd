"""The fact catalogue: what rules may read, with titles, units and what *unknown* means."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

import yaml

from aftersale.core.expression import SECONDS, ExpressionError, Kind, Lit, Node, Ref, Type, Value, walk
from aftersale.core.language.grammar import NULL, Scope, parse_value
from aftersale.core.language.saying import Named, Saying, closest, named, plain, saying, verbatim
from aftersale.core.money import FEN_MAX, yuan_text

FAR: Mapping[str, int] = {
    "s": 315_360_000, **{kind: 315_360_000 // seconds for kind, seconds in SECONDS.items()}, "min": 5_256_000,
    "int": 10**9, "decimal": 10**9, "fen": FEN_MAX,
}  # fmt: skip
"""By unit or kind: ten years, a hundred million yuan. Beyond it moments leave the calendar and sums their columns."""
FACT_KINDS: tuple[Kind, ...] = ("bool", "int", "fen", "text", "enum", "timestamptz", *cast("Any", SECONDS))
NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_KEYS = {
    "name", "type", "unit", "values", "title", "title_en", "source", "unknown", "unknown_en",
    "since", "until", "derive", "known_for", "note",
}  # fmt: skip


class RulebookError(Exception):
    """A catalogue or rulebook that cannot be used. `position`: field and character, like 'when:12'."""

    def __init__(
        self, book: str, rule: str | None, position: str | None, say: str | Saying, /, **values: object
    ) -> None:
        if isinstance(say, str):
            self.why = saying(say, **values) if values else verbatim(say)
        else:
            self.why = say
        self.book, self.rule, self.position, self.reason = book, rule, position, plain(self.why)
        super().__init__(plain(self.told))

    @property
    def told(self) -> Saying:
        """Where and why, in a sentence."""
        place = {"book": self.book, "rule": self.rule, "position": self.position, "why": self.why}
        given = {name: value if name == "why" else str(value) for name, value in place.items() if value}
        if self.rule and self.position:
            return saying("规则书 %(book)s 的 %(rule)s（%(position)s）：%(why)s", **given)
        if self.rule:
            return saying("规则书 %(book)s 的 %(rule)s：%(why)s", **given)
        if self.position:
            return saying("规则书 %(book)s（%(position)s）：%(why)s", **given)
        return saying("规则书 %(book)s：%(why)s", **given)


@dataclass(frozen=True, slots=True)
class Fact:
    """`since`/`until`: an age (now − moment / moment − now, in the type's unit); `derived`: an expression."""

    name: str
    type: Type
    title: str
    title_en: str
    source: str
    unknown: str
    values: tuple[str, ...] = ()
    labels: Mapping[str, str] | None = None
    labels_en: Mapping[str, str] | None = None
    unit: str | None = None
    since: str | None = None
    until: str | None = None
    derived: Node | None = None
    derive_text: str | None = None
    known_for: tuple[str, ...] | None = None

    @property
    def moment(self) -> str | None:
        """The timestamptz fact an age is counted from or to."""
        return self.since or self.until

    @property
    def named(self) -> Named:
        return named(self.name, self.title, self.title_en)

    def shown(self, value: Value) -> Named | str:
        """The value as a case has it, with its words where it has any."""
        if isinstance(value, bool):
            return named(str(value), "是" if value else "否", "yes" if value else "no")
        told, told_en = ((labels or {}).get(str(value)) for labels in (self.labels, self.labels_en))
        return named(str(value), told, told_en) if told and told_en else figure(self.type, value)

    @property
    def stored(self) -> bool:
        return self.derived is None and self.moment is None

    def fault(self, value: object) -> str | None:
        """Why the value cannot be this fact's, as a sentence; None when it can. None (unknown) fits."""
        found = self.misfit(value)
        return None if found is None else plain(found)

    def misfit(self, value: object) -> Saying | None:
        """The same to be said in any language."""
        if value is None or (self.moment and type(value) in (int, float)):
            return None
        return value_misfit(self.type, value)


def figure(kind: Type, value: object) -> Named | str:
    """A value as it is, money in yuan for people."""
    if kind.kind == "fen" and isinstance(value, int):
        return named(str(value), yuan_text(value), yuan_text(value))
    return str(value)


def value_fault(wanted: Type, value: object) -> str | None:
    """Why the value is not of the wanted type, as a sentence; None when it is."""
    found = value_misfit(wanted, value)
    return None if found is None else plain(found)


def value_misfit(
    wanted: Type, value: object, least: int | None = None, most: int | None = None
) -> Saying | None:
    """The same to be said in any language, of a number also where it is beyond its limits."""
    return _of_another_type(wanted, value) or _beyond(wanted, value, least, most)


def _of_another_type(wanted: Type, value: object) -> Saying | None:
    kind, shown = wanted.kind, repr(value)
    if kind == "timestamptz":
        good = isinstance(value, datetime) and value.tzinfo is not None
        return None if good else saying("%(value)s 不是带时区的时间", value=shown)
    if kind in ("text", "enum"):
        if not isinstance(value, str):
            return saying("%(value)s 不是文本", value=shown)
        known = kind == "text" or not wanted.values or value in wanted.values
        return None if known else _strange(wanted, value)
    if kind == "list":
        return _list_misfit(wanted, value)
    if kind == "decimal":
        good = isinstance(value, Decimal) and value.is_finite()
        return None if good else saying("%(value)s 不是数字", value=shown)
    if kind == "bool":
        return None if type(value) is bool else saying("%(value)s 不是是非值", value=shown)
    return None if type(value) is int else saying("%(value)s 不是整数", value=shown)


def _beyond(kind: Type, value: object, least: int | None, most: int | None) -> Saying | None:
    shown, number = figure(kind, value), cast("int", value)
    if least is not None and number < least:
        return saying("%(value)s 小于允许的最小值 %(least)s", value=shown, least=figure(kind, least))
    if most is not None and number > most:
        return saying("%(value)s 大于允许的最大值 %(most)s", value=shown, most=figure(kind, most))
    return None


def _strange(wanted: Type, value: str) -> Saying:
    near = closest(value, wanted.values)
    return saying("取值里没有 %(value)s%(nearest)s", value=repr(value), nearest=near)


def _list_misfit(wanted: Type, value: object) -> Saying | None:
    if not isinstance(value, (list, tuple)) or not all(type(item) in (str, int) for item in value):
        return saying("%(value)s 不是文本或整数的列表", value=repr(value))
    strange = [str(item) for item in value if wanted.values and item not in wanted.values]
    return _strange(wanted, strange[0]) if strange else None


def items_misfit(like: object, value: object) -> Saying | None:
    """Why a list holds other things than the one it is `like`; an empty one says nothing of its items."""
    if not isinstance(value, (list, tuple)) or not isinstance(like, tuple) or not like:
        return None
    if not all(type(item) is type(like[0]) for item in value):
        whole = type(like[0]) is int
        say = saying("%(value)s 不是整数的列表", value=repr(value))
        return say if whole else saying("%(value)s 不是文本的列表", value=repr(value))
    beyond = [item for item in value if type(item) is int and abs(item) > FAR["int"]]
    return _beyond(Type("int"), beyond[0], -FAR["int"], FAR["int"]) if beyond else None


@dataclass(frozen=True)
class Catalogue:
    """A fact set by name, in the order of the file."""

    name: str
    facts: Mapping[str, Fact]

    @property
    def types(self) -> Mapping[str, Type]:
        return {name: fact.type for name, fact in self.facts.items()}

    def stored_reads(self, nodes: Collection[Node], given: Collection[str] = ()) -> tuple[str, ...]:
        """The stored facts that the nodes read after expanding derived facts and ages, in catalogue order."""
        seen: set[str] = set()
        waiting = [name for node in nodes for name in names(node)]
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            fact = self.facts[name]
            if name not in given:
                waiting += names(fact.derived) if fact.derived is not None else [fact.moment or name]
        return tuple(n for n, fact in self.facts.items() if n in seen and (fact.stored or n in given))


def names(node: Node) -> list[str]:
    """The facts a node names, without expanding them."""
    found = [part.name if isinstance(part, Ref) else getattr(part, "fact", None) for part in walk(node)]
    return [name for name in found if name is not None]


def load_catalogue(text: str, base: Catalogue | None = None) -> Catalogue:
    """Reads a catalogue file; `base`: the one it `extends`. Raises RulebookError."""
    data = read_yaml(text, "?")
    name = str(data.get("facts", "?"))
    if not {"facts", "list"} <= set(data) <= {"facts", "list", "extends"} or not isinstance(
        data["list"], list
    ):
        raise RulebookError(name, None, None, "事实目录只有 facts、extends 和 list 三项,list 是列表")
    if data.get("extends") != (base and base.name):
        raise RulebookError(
            name,
            None,
            "extends",
            "要的是 %(wanted)s，给的是 %(given)s",
            wanted=str(data.get("extends")),
            given=str(base and base.name),
        )
    facts: dict[str, Fact] = dict(base.facts) if base else {}
    for entry in data["list"]:
        fact = _fact(name, entry)
        if fact.name in facts:
            raise RulebookError(name, fact.name, None, "同名的事实出现了两次")
        facts[fact.name] = fact
    for fact in list(facts.values()):
        facts[fact.name] = _linked(name, fact, facts)
    _refuse_circles(name, facts)
    return Catalogue(name, facts)


class _Twice(yaml.constructor.ConstructorError):
    """A key is written twice."""

    def __init__(self, key: str, mark: yaml.Mark) -> None:
        super().__init__(None, None, None, mark)
        self.key = key


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Refuses a key written twice: the first would be lost silently."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for index, key in enumerate(keys):
            if key in keys[:index]:
                raise _Twice(str(key), node.start_mark)
        return cast("dict[Any, Any]", super().construct_mapping(node, deep))


def read_yaml(text: str, book: str) -> dict[str, Any]:
    """The file's mapping. Raises RulebookError with the line."""
    try:
        data = yaml.load(text, _Loader)
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}" if error.problem_mark else None
        raise RulebookError(book, None, line, "YAML 读不懂：%(why)s", why=_problem(error)) from None
    except (yaml.YAMLError, TypeError, ValueError) as error:
        why = str(error).splitlines()[0]
        raise RulebookError(book, None, None, "YAML 读不懂：%(why)s", why=why) from None
    if not isinstance(data, dict):
        raise RulebookError(book, None, None, "文件应当是一个 YAML 映射")
    return data


def _problem(error: yaml.MarkedYAMLError) -> Saying | str:
    if isinstance(error, _Twice):
        return saying("%(key)s 写了两次", key=error.key)
    return str(error.problem)


def check_keys(
    book: str, where: str | None, entry: object, known: Collection[str], needed: Collection[str]
) -> None:
    """Refuses strange and missing keys. Raises RulebookError."""
    if not isinstance(entry, dict):
        raise RulebookError(book, where, None, "这里应当是 YAML 映射")
    for key in entry:
        if key not in known:
            near = closest(str(key), known)
            raise RulebookError(
                book, where, None, "没有名为 %(name)s 的项%(nearest)s", name=str(key), nearest=near
            )
    missing = [key for key in needed if entry.get(key) is None]
    if missing:
        raise RulebookError(book, where, None, "缺少 %(name)s", name=missing[0])


def check_name(book: str, name: object) -> str:
    """A name usable as a SQL identifier. Raises RulebookError."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise RulebookError(book, str(name), None, "名称只能用小写字母、数字和下划线，以字母开头")
    return name


def _fact(book: str, entry: Any) -> Fact:
    named = entry.get("name") if isinstance(entry, dict) else None
    check_keys(book, named, entry, _KEYS, ("name", "type", "title"))
    name, kind = check_name(book, entry["name"]), entry["type"]
    if kind not in FACT_KINDS:
        near = closest(str(kind), FACT_KINDS)
        raise RulebookError(book, name, None, "没有类型 %(kind)s%(nearest)s", kind=str(kind), nearest=near)
    given = entry.get("values") or ()
    values = tuple(str(value) for value in given)
    if bool(values) != (kind == "enum"):
        raise RulebookError(book, name, None, "enum 必须写 values，其他类型不能写")
    age = "since" in entry or "until" in entry
    if age and (kind not in SECONDS or "derive" in entry or len({"since", "until"} & set(entry)) == 2):
        raise RulebookError(
            book, name, None, "since 或 until 只用于 hours、minutes、days，且只写其中一个，不带 derive"
        )
    return Fact(
        name, Type(kind, frozenset(values), age), str(entry["title"]), str(entry.get("title_en") or name),
        str(entry.get("source") or ""), str(entry.get("unknown") or "未知"), values,
        {str(key): str(label) for key, label in given.items()} if isinstance(given, dict) else None, None,
        entry.get("unit"), entry.get("since"), entry.get("until"), None, entry.get("derive"),
        tuple(map(str, entry["known_for"])) if entry.get("known_for") else None,
    )  # fmt: skip


def _linked(book: str, fact: Fact, facts: Mapping[str, Fact]) -> Fact:
    """With its moment checked and its derivation parsed."""
    if fact.moment:
        source = facts.get(fact.moment)
        if source is None or source.type.kind != "timestamptz":
            near, say = closest(fact.moment, facts), "%(name)s 不是 timestamptz 事实%(nearest)s"
            raise RulebookError(book, fact.name, None, say, name=fact.moment, nearest=near)
    if fact.derive_text is None:
        return fact
    try:
        node, found = parse_value(fact.derive_text, Scope({n: f.type for n, f in facts.items()}), fact.type)
    except ExpressionError as error:
        raise RulebookError(book, fact.name, f"derive:{error.position}", error.why) from None
    if isinstance(node, Lit) or found == NULL:
        raise RulebookError(book, fact.name, "derive", "推导的事实必须读取其他事实")
    return replace(fact, derived=node)


def _refuse_circles(book: str, facts: Mapping[str, Fact]) -> None:
    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            circle = " → ".join((*path, name))
            raise RulebookError(book, name, "derive", "循环推导：%(circle)s", circle=circle)
        fact = facts[name]
        for below in names(fact.derived) if fact.derived is not None else filter(None, [fact.moment]):
            visit(below, (*path, name))

    for name in facts:
        visit(name, ())
