"""From a question in the field's own words to facts and settings of one rulebook; names only, no rules.

Entries of `fields` (ask/questions/*.yaml), for a given field:
  to      the fact, setting or age it is; `times`: factor
  clock   HH:MM or HH:MM:SS (or a list of them) into these minute-of-day names
  parts   a mapping whose parts are fields of their own, renamed or as they are
  each    a list whose known items are bool facts, true when listed and false when not; several items may name one
          fact; `open`: others are ignored
  is      what a value says: fields with values; `=now`, `=midnight` (the coming one), `:setting` and `=field`
          are looked up. Given facts win over
          what is said, unless `over` is true or lists the value
"""

import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, cast

from aftersale.ask.convert import fen, instant, number
from aftersale.ask.questions import Question, Unclear
from aftersale.core.expression import SECONDS, Type, Value
from aftersale.core.facts import value_fault
from aftersale.core.language.grammar import SHANGHAI, nearest
from aftersale.core.language.saying import plain
from aftersale.core.rulebook import Book, Setting, setting_value
from aftersale.rulebooks import books

_AGE = re.compile(r"(minutes|hours|days)_since_([a-z_]+)")
_CLOCK = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)(?::[0-5]\d)?", re.ASCII)
OWN = frozenset({"ask", "now", "strategy"})
CENTURY_S = 100 * 365 * 86_400


@dataclass(frozen=True)
class Grounded:
    """`settings`: those the question names; `assumed`: facts of the ordinary case; `known`: fields understood."""

    facts: Mapping[str, Value | None]
    settings: Mapping[str, object]
    assumed: tuple[str, ...]
    known: frozenset[str]


def asked_at(given: Mapping[str, Any], now: datetime) -> datetime:
    """Without a `now` of its own a question is asked at its `applied_at`, else at `now`. Raises Unclear."""
    told = given.get("now") or given.get("applied_at")
    name = "now" if given.get("now") else "applied_at"
    return instant(name, told) if told and _CLOCK.fullmatch(str(told)) is None else now


def ground(
    book: Book, question: Question, given: Mapping[str, Any], now: datetime, strict: bool, alone: bool = True
) -> Grounded:
    """`alone`: no shop asks, so only the strategy named is on. Raises Unclear when a value cannot be its field's."""
    reader = _Reader(book, question, now, _switched_off(book) if alone else {})
    if alone and not strict:
        reader.settings |= {name: one for name, one in question.assumed.items() if name in book.settings}
    for name, value in given.items():
        if name not in OWN:
            reader.take(name, value)
    reader.imply()
    if given.get("strategy") is not None and _switched_off(book):
        reader.strategy(given["strategy"])
    reader.at_the_clock(given)
    assumed = () if strict else reader.assume()
    return Grounded(reader.facts, reader.settings, assumed, frozenset(reader.known | OWN))


def _switched_off(book: Book) -> dict[str, object]:
    """A question knows only the strategy that it names."""
    return {one.enabled: False for one in books.strategies() if one.enabled in book.settings}


@dataclass
class _Reader:
    book: Book
    question: Question
    now: datetime
    settings: dict[str, object]
    facts: dict[str, Value | None] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    implied: list[tuple[str, Any, bool]] = field(default_factory=list)

    def take(self, name: str, value: Any) -> bool:
        """One field under whatever name it comes; whether this book knows it."""
        entry = self.question.fields.get(name, {})
        known = self._said(name, value, entry) or self._listed(name, value, entry)
        if "to" in entry:
            factor = entry.get("times")
            value = value if factor is None or value is None else number(name, value) * factor
            known = self.take(entry["to"], value) or known
        elif "clock" in entry:
            known = value is None or self._clock(name, value, entry["clock"]) or known
        elif not known and name in self.book.catalogue.facts:
            known = self._fact(name, value)
        elif not known and name in self.book.settings:
            if value is not None:
                self.settings[name] = _setting(self.book.settings[name], value)
            known = True
        known = known or self._age(name, value)
        if known:
            self.known.add(name)
        return known

    def _said(self, name: str, value: Any, entry: Mapping[str, Any]) -> bool:
        """Notes what a value says besides itself; whether that is all it says."""
        if "is" not in entry:
            return False
        said = {_key(key): what for key, what in entry["is"].items()}
        if value is not None and _key(value) in said:
            over = entry.get("over", False)
            over = _key(value) in map(_key, over) if isinstance(over, list) else bool(over)
            self.implied += [(key, what, over) for key, what in said[_key(value)].items()]
        fact = self.book.catalogue.facts.get(name)
        if fact is not None:
            return value is not None and _key(value) in said and fact.fault(value) is not None
        if value is not None and _key(value) not in said and "to" not in entry:
            raise Unclear(f"字段 {name}：不认识 {value!r}{nearest(str(value), said)}")
        return "to" not in entry

    def _listed(self, name: str, value: Any, entry: Mapping[str, Any]) -> bool:
        """`each` and `parts`."""
        if value is None or not ({"each", "parts"} & set(entry)):
            return bool({"each", "parts"} & set(entry))
        if "each" in entry:
            self._each(name, value, entry)
        if "parts" in entry:
            if not isinstance(value, Mapping):
                raise Unclear(f"字段 {name}：{value!r} 不是映射")
            for part, one in value.items():
                if not self.take(entry["parts"].get(part, part), one) and part not in self.question.ignored:
                    raise Unclear(f"字段 {name}：没有名为 {part} 的项{nearest(part, entry['parts'])}")
        return True

    def _each(self, name: str, value: Any, entry: Mapping[str, Any]) -> None:
        value = [value] if isinstance(value, str) and value in entry["each"] else value
        if not isinstance(value, (list, tuple)):
            raise Unclear(f"字段 {name}：{value!r} 不是列表")
        strange = [one for one in value if not isinstance(one, Hashable) or one not in entry["each"]]
        if strange and not entry.get("open"):
            raise Unclear(f"字段 {name}：不认识 {strange[0]!r}{nearest(str(strange[0]), entry['each'])}")
        listed = {fact for item, fact in entry["each"].items() if item in value}
        for fact in dict.fromkeys(entry["each"].values()):
            self.take(fact, fact in listed)

    def imply(self) -> None:
        """What values said; what was given itself wins, unless the saying overrules it."""
        for name, value, over in self.implied:
            fact = self.book.catalogue.facts.get(name)
            if over or (name not in self.facts and (fact is None or fact.moment not in self.facts)):
                self.take(name, self._reference(value))

    def _reference(self, value: Any) -> Any:
        if value == "=now":
            return self.now.isoformat()
        if value == "=midnight":
            return (self.now.astimezone(SHANGHAI) + timedelta(days=1)).strftime("%Y-%m-%dT00:00:00+08:00")
        if isinstance(value, str) and value.startswith("="):
            return self.facts.get(value[1:])
        if isinstance(value, str) and value.startswith(":"):
            name = value[1:]
            own = self.book.settings.get(name)
            return self.settings.get(name, own.default) if own else None
        return value

    def _clock(self, name: str, value: Any, targets: list[str]) -> bool:
        texts = value if isinstance(value, list) else [value]
        if len(texts) != len(targets):
            raise Unclear(f"字段 {name}：需要 {len(targets)} 个时刻")
        known = True
        for text, target in zip(texts, targets, strict=True):
            match = _CLOCK.fullmatch(str(text))
            if match is None:
                raise Unclear(f"字段 {name}：{text!r} 不是 HH:MM 的时刻")
            known = self.take(target, int(match[1]) * 60 + int(match[2])) and known
        return known

    def _fact(self, name: str, value: Any) -> bool:
        fact = self.book.catalogue.facts[name]
        if fact.moment:
            self._age_of(name, fact.type.kind, value)
            return True
        converted = None if value is None or value == "" else _converted(name, fact.type, value)
        fault = fact.fault(converted)
        if fault:
            raise Unclear(f"字段 {name}：{fault}")
        self.facts[name] = converted
        return True

    def _age(self, name: str, value: Any) -> bool:
        """An age in another unit than the catalogue's."""
        match = _AGE.fullmatch(name)
        if match is None:
            return False
        known = [f"{unit}_since_{match[2]}" for unit in SECONDS]
        found = next((one for one in known if one in self.book.catalogue.facts), None)
        if found is not None:
            self._age_of(found, match[1], value)
        return found is not None

    def _age_of(self, name: str, unit: str, value: Any) -> None:
        """Ages become the moment they are counted from, so that a boundary is met exactly."""
        at = cast("str", self.book.catalogue.facts[name].moment)
        self.facts[at] = None if value is None else self.now - _length(name, unit, value)

    def strategy(self, given: Any) -> None:
        """Switches the named template on as the question says, within its scenario (R-015)."""
        if not isinstance(given, Mapping) or "template" not in given:
            raise Unclear("字段 strategy:需要 template")
        platform, template = self.facts.get("platform"), given["template"]
        found = [one for one in books.strategies() if one.template == template]
        if not found:
            close = nearest(str(template), [one.template for one in books.strategies()])
            raise Unclear(f"没有名为 {template} 的策略{close}")
        one = next((s for s in found if platform in s.platforms), found[0])
        types = given.get("types") or _types_of(given.get("scenario"))
        on = given.get("enabled", True)
        if types is not None:
            on = on and self.facts.get("aftersale_type") in types
        if types is not None and one.types is not None and isinstance(types, (list, tuple)):
            allowed = cast("tuple[str, ...]", self.book.settings[one.types].default)
            self.take(one.types, [kind for kind in types if kind in allowed])
        self.take(one.enabled, on)
        for key, setting in (("max_amount", one.max_amount), ("reasons", one.reasons)):
            if given.get(key) is not None and setting:
                self.take(setting, given[key])

    def at_the_clock(self, given: Mapping[str, Any]) -> None:
        """The minute of the day of an application whose moment is given."""
        told = given.get("now") or given.get("applied_at")
        if "applied_minute" in self.book.catalogue.facts and "applied_minute" not in self.facts and told:
            at = self.facts.get("applied_at") or self.now
            local = cast("datetime", at).astimezone(SHANGHAI)
            self.facts["applied_minute"] = local.hour * 60 + local.minute

    def assume(self) -> tuple[str, ...]:
        """The ordinary case for what was left out."""
        taken = []
        for name, value in self.question.assumed.items():
            fact = self.book.catalogue.facts.get(name)
            if name in self.facts or fact is None or (fact.moment and fact.moment in self.facts):
                continue
            other = value[1:] if isinstance(value, str) and value.startswith("=") else None
            self.facts[name] = self.now if other == "now" else self.facts.get(other) if other else value
            taken.append(name)
        return tuple(taken)


def _types_of(scenario: Any) -> tuple[str, ...] | None:
    """After-sales types of a situation by code or title (R-015)."""
    if scenario is None:
        return None
    found = next((one for one in books.scenarios() if scenario in (*one.codes, one.title)), None)
    return (str(scenario),) if found is None else found.types


def _key(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _within_a_century(name: str, unit: str, value: int | float | Decimal) -> None:
    """Raises Unclear."""
    if abs(Fraction(str(value))) * SECONDS.get(unit, 0) > CENTURY_S:
        raise Unclear(f"字段 {name}：{value} 超出一百年")


def _length(name: str, unit: str, value: Any) -> timedelta:
    """Exact to the microsecond; more than a century of hours is a mistake."""
    _within_a_century(name, unit, number(name, value))
    exact = Fraction(str(value)) * SECONDS[unit] * 1_000_000
    return timedelta(microseconds=round(exact))


def _setting(setting: Setting, value: Any) -> Value:
    """Raises Unclear where a shop could not choose this value."""
    found = _converted(setting.name, setting.type, value)
    fault = setting.fault(found)
    if fault:
        raise Unclear(f"字段 {setting.name}：{plain(fault)}")
    return found


def _converted(name: str, kind: Type, value: Any) -> Value:
    """The value as the book takes it: yuan become fen, texts become moments. Raises Unclear."""
    found: Any = value
    match kind.kind:
        case "fen":
            found = fen(name, value)
        case "timestamptz":
            found = instant(name, value)
        case "int" | "hours" | "minutes" | "days":
            counted = number(name, value)
            found = int(counted) if counted == int(counted) else counted
            _within_a_century(name, kind.kind, counted)
        case _:
            found = setting_value(kind.kind, value)
    fault = value_fault(kind, found)
    if fault:
        raise Unclear(f"字段 {name}：{fault}")
    return cast("Value", found)
