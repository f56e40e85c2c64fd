"""Rulebooks: parsed, typed and checked against a fact catalogue; settings resolved against their defaults."""

import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Any, Literal, cast

from aftersale.core.expression import (
    After,
    Age,
    ExpressionError,
    In,
    Kind,
    Lit,
    Node,
    Not,
    Ref,
    Type,
    Value,
    both,
    conjuncts,
    unify,
    walk,
)
from aftersale.core.facts import Catalogue, RulebookError, check_keys, check_name, read_yaml, value_misfit
from aftersale.core.language.grammar import NULL, SHANGHAI, Scope, parse_condition, parse_value
from aftersale.core.language.saying import Named, closest, named
from aftersale.core.language.setting import NUMERIC, SETTING_KINDS, Setting, setting_value

__all__ = [
    "Book", "Const", "Output", "Rule", "Setting", "parse_book", "resolve_settings", "setting_value", "used",
]  # fmt: skip
TEXT = Type("text")
_USES = named("{规则书: [设置, …]}", "{规则书: [设置, …]}", "{book: [setting, …]}")
_BOOK_KEYS = {
    "book", "title", "title_en", "hit", "facts", "uses", "settings", "rules", "otherwise", "note",
}  # fmt: skip
_SETTING_KEYS = {
    "name", "type", "default", "title", "title_en", "unit", "values", "min", "max", "by_platform", "history",
    "note",
}  # fmt: skip
_RULE_KEYS = {
    "name", "title", "title_en", "when", "then", "requirement", "platforms", "from", "until", "note",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Const:
    """A list or mapping in `then`, handed on as written."""

    value: object


Output = Node | Const


@dataclass(frozen=True, slots=True)
class Rule:
    """`when` holds `platforms` and effective dates as conjuncts; `text` is the condition as written."""

    name: str
    title: str
    title_en: str
    text: str
    when: Node
    then: Mapping[str, Output]
    requirement: str
    platforms: tuple[str, ...] = ()

    @property
    def conjuncts(self) -> tuple[Node, ...]:
        return conjuncts(self.when)

    @property
    def named(self) -> Named:
        return named(self.name, f"「{self.title}」", self.title_en)


@dataclass(frozen=True)
class Book:
    """A checked rulebook. `reads`: stored facts after expansion; `outputs`: the type of each `then` key."""

    name: str
    title: str
    title_en: str
    hit: Literal["first", "collect"]
    catalogue: Catalogue
    settings: Mapping[str, Setting]
    rules: tuple[Rule, ...]
    otherwise: Mapping[str, Output]
    outputs: Mapping[str, Type]
    reads: tuple[str, ...]
    version: str

    def nodes(self) -> list[Node]:
        """Every expression of the book, outputs included, derivations not."""
        outputs = [
            value for then in [*(r.then for r in self.rules), self.otherwise] for value in then.values()
        ]
        return [rule.when for rule in self.rules] + [v for v in outputs if not isinstance(v, Const)]

    def walk(self, given: Collection[str] = (), roots: list[Node] | None = None) -> Iterator[Node]:
        """Every node, also of the derivations read; not of derived facts that are `given`."""
        waiting, seen = self.nodes() if roots is None else [*roots], set(given)
        while waiting:
            for part in walk(waiting.pop()):
                yield part
                if isinstance(part, Ref) and part.name not in seen:
                    seen.add(part.name)
                    derived = self.catalogue.facts[part.name].derived
                    waiting += [derived] if derived is not None else []


def parse_book(text: str, catalogue: Catalogue, lent: Mapping[str, Setting] | None = None) -> Book:
    """Reads a rulebook file; `lent`: the settings that it uses of other books (`uses`, see `used`).

    Raises RulebookError, which names book, rule, position and reason."""
    data = read_yaml(text, "?")
    book = str(data.get("book", "?"))
    check_keys(book, None, data, _BOOK_KEYS, ("book", "hit", "facts", "rules"))
    _check_head(book, data, catalogue)
    settings = {**(lent or {}), **_settings(book, data.get("settings") or [], lent or {})}
    scope = Scope(catalogue.types, {name: setting.type for name, setting in settings.items()})
    outputs: dict[str, Type] = {}
    rules = tuple(_rule(book, entry, catalogue, scope, outputs) for entry in data["rules"])
    _refuse_twins(book, rules)
    otherwise = _then(book, None, data.get("otherwise") or {}, scope, outputs)
    settings = _limit_lists(book, settings, scope)
    title = str(data.get("title") or book)
    title_en = str(data.get("title_en") or book)
    made = Book(book, title, title_en, data["hit"], catalogue, settings, rules, otherwise, outputs, (), "")
    return replace(made, reads=catalogue.stored_reads(made.nodes()), version=_version(data, made))


def used(text: str) -> Mapping[str, tuple[str, ...]]:
    """Other book → the settings of it that this rulebook file uses. Raises RulebookError."""
    data = read_yaml(text, "?")
    uses = data.get("uses") or {}
    if not isinstance(uses, dict) or not all(isinstance(names, list) for names in uses.values()):
        raise RulebookError(str(data.get("book")), None, "uses", "uses 写成 %(shape)s", shape=_USES)
    return {str(book): tuple(map(str, names)) for book, names in uses.items()}


def resolve_settings(
    book: Book,
    overrides: Mapping[str, object],
    platform: str | None = None,
    at: datetime | None = None,
    *,
    exactly: bool = False,
) -> dict[str, Value]:
    """Defaults (of the platform, at the moment) with the shop's own values, as they count or `exactly` as given.
    Raises RulebookError."""
    found = {name: setting.usual(platform, at) for name, setting in book.settings.items()}
    for name, value in overrides.items():
        if name not in book.settings:
            near, say = closest(name, book.settings), "没有名为 %(name)s 的设置%(nearest)s"
            raise RulebookError(book.name, None, f"settings.{name}", say, name=name, nearest=near)
        found[name] = setting_value(book.settings[name].type.kind, value)
        found[name] = found[name] if exactly else book.settings[name].counted(found[name])
        fault = book.settings[name].fault(found[name])
        if fault:
            raise RulebookError(book.name, None, f"settings.{name}", fault)
    return found


def _check_head(book: str, data: Mapping[str, Any], catalogue: Catalogue) -> None:
    check_name(book, data["book"])
    if data["hit"] not in ("first", "collect"):
        hit = str(data["hit"])
        raise RulebookError(book, None, "hit", "hit 只能是 first 或 collect，得到的是 %(hit)s", hit=hit)
    if data["facts"] != catalogue.name:
        names, say = (str(data["facts"]), catalogue.name), "规则书要事实目录 %(wanted)s，给的是 %(given)s"
        raise RulebookError(book, None, "facts", say, wanted=names[0], given=names[1])
    if data["hit"] == "collect" and data.get("otherwise"):
        raise RulebookError(book, None, "otherwise", "hit: collect 没有 otherwise")
    if not isinstance(data["rules"], list) or not (data["rules"] or data["hit"] == "collect"):
        raise RulebookError(book, None, "rules", "rules 是至少有一条规则的列表")
    if not isinstance(data.get("settings") or [], list):
        raise RulebookError(book, None, "settings", "settings 是列表")


def _settings(book: str, entries: list[Any], lent: Mapping[str, Setting]) -> dict[str, Setting]:
    found: dict[str, Setting] = {}
    for entry in entries:
        named = f"settings.{entry.get('name') if isinstance(entry, dict) else '?'}"
        check_keys(book, named, entry, _SETTING_KEYS, ("name", "type", "default", "title"))
        name, kind = check_name(book, entry["name"]), entry["type"]
        if kind not in SETTING_KINDS:
            near, say = closest(str(kind), SETTING_KINDS), "没有类型 %(kind)s%(nearest)s"
            raise RulebookError(book, None, named, say, kind=str(kind), nearest=near)
        if name in found or name in lent:
            raise RulebookError(book, None, named, "同名的设置出现了两次")
        setting = Setting(
            name, Type(kind, frozenset(map(str, entry.get("values") or ()))), setting_value(kind, entry["default"]),
            str(entry["title"]), str(entry.get("title_en") or name), entry.get("unit"), entry.get("min"),
            entry.get("max"), {at: setting_value(kind, v) for at, v in (entry.get("by_platform") or {}).items()},
            tuple((_moment(book, named, "history", one["until"]), setting_value(kind, one["value"]))
                  for one in entry.get("history") or ()),
        )  # fmt: skip
        found[name] = _checked(book, setting)
    return found


def _checked(book: str, setting: Setting) -> Setting:
    limited = setting.minimum is not None or setting.maximum is not None
    if limited and setting.type.kind not in NUMERIC:
        raise RulebookError(book, None, f"settings.{setting.name}", "min 和 max 只用于数字类设置")
    for value in (setting.default, *setting.by_platform.values(), *(then for _, then in setting.history)):
        fault = setting.fault(value)
        if fault:
            raise RulebookError(book, None, f"settings.{setting.name}", "默认值不对：%(why)s", why=fault)
    return setting


def _limit_lists(book: str, settings: dict[str, Setting], scope: Scope) -> dict[str, Setting]:
    """A list setting compared with an enum may only hold that enum's members."""
    found = dict(settings)
    for name, used_with in scope.list_uses:
        if used_with.kind != "enum":
            continue
        setting = found[name]
        values = setting.type.values & used_with.values if setting.type.values else used_with.values
        found[name] = _checked(book, replace(setting, type=Type("list", values)))
    return found


def _rule(book: str, entry: Any, catalogue: Catalogue, scope: Scope, outputs: dict[str, Type]) -> Rule:
    named = entry.get("name") if isinstance(entry, dict) else None
    check_keys(book, named, entry, _RULE_KEYS, ("name", "title", "when", "then"))
    name = check_name(book, entry["name"])
    text = str(entry["when"]).lower() if isinstance(entry["when"], bool) else str(entry["when"])
    try:
        when = parse_condition(text, scope)
    except ExpressionError as error:
        raise RulebookError(book, name, _position("when", error), error.why) from None
    platforms = _platforms(book, name, entry.get("platforms") or (), catalogue)
    limits: list[Node] = [In(Ref("platform"), tuple(map(Lit, platforms)))] if platforms else []
    for key in ("from", "until"):
        if entry.get(key) is not None:
            after = After(_moment(book, name, key, entry[key]))
            limits.append(after if key == "from" else Not(after))
    return Rule(
        name, str(entry["title"]), str(entry.get("title_en") or name), text, both("and", (*limits, when)),
        _then(book, name, entry["then"], scope, outputs), str(entry.get("requirement") or ""), platforms,
    )  # fmt: skip


def _position(field: str, error: ExpressionError) -> str:
    return field if error.position is None else f"{field}:{error.position}"


def _platforms(book: str, rule: str, given: Any, catalogue: Catalogue) -> tuple[str, ...]:
    fact = catalogue.facts.get("platform")
    if given and (fact is None or not isinstance(given, list)):
        raise RulebookError(book, rule, "platforms", "platforms 是列表，并且事实目录里要有 platform")
    for item in given:
        fault = fact.misfit(item) if fact else None
        if fault:
            raise RulebookError(book, rule, "platforms", fault)
    return tuple(given)


def _moment(book: str, rule: str, key: str, given: object) -> datetime:
    """Dates begin at midnight in Shanghai, the platforms' zone."""
    if isinstance(given, datetime):
        return given if given.tzinfo else given.replace(tzinfo=SHANGHAI)
    if isinstance(given, date):
        return datetime.combine(given, time(), SHANGHAI)
    raise RulebookError(book, rule, key, "%(value)s 不是日期，请写成 2017-04-21", value=repr(given))


def _then(
    book: str, rule: str | None, entry: Any, scope: Scope, outputs: dict[str, Type]
) -> dict[str, Output]:
    """One rule's outcome; `outputs` learns the type of each key."""
    if not isinstance(entry, dict):
        raise RulebookError(book, rule, "then", "then 是 YAML 映射")
    found: dict[str, Output] = {}
    for key, value in entry.items():
        found[check_name(book, key)], kind = _output(book, rule, key, value, scope)
        joined = unify(outputs.get(key, NULL), kind)
        if joined is None:
            raise RulebookError(book, rule, f"then.{key}", "各条规则给这一项的值类型不同")
        outputs[key] = joined
    return found


def _output(book: str, rule: str | None, key: str, value: Any, scope: Scope) -> tuple[Output, Type]:
    """`amount`, `…_fen`, `…_at` and texts that begin with = are expressions; anything else is itself."""
    wanted = _wanted(key)
    if isinstance(value, str) and (wanted or value.startswith("=")):
        try:
            node, kind = parse_value(value.removeprefix("="), scope, wanted)
        except ExpressionError as error:
            raise RulebookError(book, rule, _position(f"then.{key}", error), error.why) from None
        return node, {"string": TEXT, "enum": TEXT, "number": Type("int")}.get(kind.kind, Type(kind.kind))
    fault = value_misfit(wanted, value) if wanted and value is not None else None
    if fault:
        raise RulebookError(book, rule, f"then.{key}", fault)
    return _constant(book, rule, key, value, wanted)


def _constant(
    book: str, rule: str | None, key: str, value: object, wanted: Type | None
) -> tuple[Output, Type]:
    if isinstance(value, (list, dict)):
        flat = isinstance(value, list) and all(isinstance(item, str) for item in value)
        return Const(value), Type("list" if flat else "json")
    kinds: dict[type, Kind] = {bool: "bool", int: "int", str: "text", type(None): "null"}
    if type(value) not in kinds:
        say = "%(value)s 应当是文本、整数、是非、列表或映射"
        raise RulebookError(book, rule, f"then.{key}", say, value=repr(value))
    return Lit(cast("Value | None", value)), wanted or Type(kinds[type(value)])


def _wanted(key: str) -> Type | None:
    if key == "amount" or key.endswith("_fen"):
        return Type("fen")
    return Type("timestamptz") if key.endswith("_at") else None


def _refuse_twins(book: str, rules: tuple[Rule, ...]) -> None:
    seen: set[str] = set()
    for rule in rules:
        if rule.name in seen:
            raise RulebookError(book, rule.name, None, "同名的规则出现了两次")
        seen.add(rule.name)


def _version(data: Mapping[str, Any], book: Book) -> str:
    """Of the content, not its layout: key order, comments and spacing of conditions change nothing. The
    definitions of the facts read belong to it, since they decide as much as the rules do."""
    parts = [part for part in book.walk() if isinstance(part, Ref | Age)]
    used = {part.name if isinstance(part, Ref) else part.fact for part in parts}
    definitions = [
        [name, fact.type.kind, sorted(fact.values), fact.since, fact.until, _spaced(fact.derive_text or "")]
        for name, fact in sorted(book.catalogue.facts.items())
        if name in used
    ]
    rules = [{**rule, "when": _spaced(str(rule["when"]))} for rule in data["rules"]]
    content = json.dumps(
        [{**data, "rules": rules}, definitions], sort_keys=True, default=str, ensure_ascii=False
    )
    return hashlib.sha256(content.encode()).hexdigest()[:12]


def _spaced(text: str) -> str:
    """Runs of blanks as one, quoted text kept."""
    return re.sub(r"('(?:[^']|'')*')|\s+", lambda found: found[1] or " ", text).strip()
