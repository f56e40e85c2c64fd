"""From a question in the field's own words to facts and settings of a rulebook; names only, no rules."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, cast

from aftersale.core.expression import SECONDS, Type, Value
from aftersale.core.facts import read_yaml, value_fault
from aftersale.core.language.grammar import SHANGHAI, moment, nearest
from aftersale.core.money import fen_from_yuan
from aftersale.core.rulebook import Book
from aftersale.rulebooks import books

_AGE = re.compile(r"(minutes|hours|days)_since_([a-z_]+)")
_CLOCK = re.compile(r"([01]\d|2[0-4]):([0-5]\d)", re.ASCII)
_OWN = {"ask", "now", "strategy"}
NUMBER_MAX = 1_000_000
YEARS = range(1990, 2101)


class Unclear(Exception):
    """A question that cannot be put to the book; the text is one line for people."""


@dataclass(frozen=True)
class Grounded:
    """`assumed`: facts taken from the ordinary case; `unread`: fields that no rule of the book reads."""

    facts: Mapping[str, Value | None]
    settings: Mapping[str, object]
    now: datetime
    assumed: tuple[str, ...]
    unread: tuple[str, ...]


@cache
def words() -> Mapping[str, Any]:
    """questions.yaml."""
    return read_yaml(books.text("questions.yaml"), "questions")


def ground(book: Book, given: Mapping[str, Any], now: datetime, *, strict: bool = False) -> Grounded:
    """Raises Unclear. Without a `now` of its own a question is asked at its `applied_at`, else at `now`."""
    told = _time("now", given["now"]) if given.get("now") else None
    applied = _time("applied_at", given["applied_at"]) if given.get("applied_at") else None
    asked_at = told or applied or now
    reader = _Reader(book, asked_at, _switched_off(book))
    for name, value in given.items():
        if name not in _OWN:
            reader.take(name, value)
    reader.imply()
    if given.get("strategy") is not None:
        reader.strategy(given["strategy"])
    if "applied_minute" not in reader.facts and (told or applied):
        at = (applied or asked_at).astimezone(SHANGHAI)
        reader.facts["applied_minute"] = at.hour * 60 + at.minute
    assumed = () if strict else reader.assume()
    return Grounded(reader.facts, reader.settings, asked_at, assumed, tuple(reader.unread))


def _switched_off(book: Book) -> dict[str, object]:
    """A question knows only the strategy that it names."""
    return {one.enabled: False for one in books.strategies() if one.enabled in book.settings}


@dataclass
class _Reader:
    book: Book
    now: datetime
    settings: dict[str, object]
    facts: dict[str, Value | None] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)
    implied: list[tuple[str, Any, bool]] = field(default_factory=list)

    def take(self, name: str, value: Any) -> None:
        """One field of the question, under whatever name it comes."""
        entry = words()["fields"].get(name, {})
        if self._said(name, value, entry):
            return
        if "to" in entry:
            factor = entry.get("times")
            self.take(
                entry["to"], value if factor is None or value is None else _number(name, value) * factor
            )
        elif "clock" in entry:
            self._clock(name, value, entry["clock"])
        elif name in self.book.catalogue.facts:
            self._fact(name, value)
        elif name in self.book.settings:
            self.settings[name] = _converted(name, self.book.settings[name].type, value)
        elif not self._age(name, value):
            self._other(name, value)

    def _said(self, name: str, value: Any, entry: Mapping[str, Any]) -> bool:
        """Notes what a value says besides itself; whether that is all it says."""
        if "is" not in entry:
            return False
        said = {_key(key): what for key, what in entry["is"].items()}
        if value is not None and _key(value) in said:
            self.implied += [(key, what, bool(entry.get("over"))) for key, what in said[_key(value)].items()]
        fact = self.book.catalogue.facts.get(name)
        if fact is not None:
            return value is not None and _key(value) in said and fact.fault(value) is not None
        if value is not None and _key(value) not in said:
            raise Unclear(f"字段 {name}:不认识 {value!r}{nearest(str(value), said)}")
        return True

    def imply(self) -> None:
        """What values said; what was given itself wins, unless the saying overrules it."""
        for name, value, over in self.implied:
            fact = self.book.catalogue.facts.get(name)
            if over or (name not in self.facts and (fact is None or fact.moment not in self.facts)):
                self.take(name, self._reference(value))

    def _reference(self, value: Any) -> Any:
        if value == "=now":
            return self.now.isoformat()
        if isinstance(value, str) and value.startswith(":"):
            name = value[1:]
            return self.settings.get(name, self.book.settings[name].default)
        return value

    def _clock(self, name: str, value: Any, targets: list[str]) -> None:
        texts = value if isinstance(value, list) else [value]
        if len(texts) != len(targets):
            raise Unclear(f"字段 {name}:需要 {len(targets)} 个时刻")
        for text, target in zip(texts, targets, strict=True):
            match = _CLOCK.fullmatch(str(text))
            if match is None:
                raise Unclear(f"字段 {name}:{text!r} 不是 HH:MM 的时刻")
            self.take(target, int(match[1]) * 60 + int(match[2]))

    def _fact(self, name: str, value: Any) -> None:
        fact = self.book.catalogue.facts[name]
        if fact.moment:
            self._age_of(name, fact.type.kind, value)
            return
        converted = None if value is None else _converted(name, fact.type, value)
        fault = fact.fault(converted)
        if fault:
            raise Unclear(f"字段 {name}:{fault}")
        self.facts[name] = converted

    def _age(self, name: str, value: Any) -> bool:
        match = _AGE.fullmatch(name)
        known = f"hours_since_{match[2]}" if match else ""
        if match is None or known not in self.book.catalogue.facts:
            return False
        self._age_of(known, match[1], value)
        return True

    def _age_of(self, name: str, unit: str, value: Any) -> None:
        """Ages become the moment they are counted from, so that a boundary is met exactly."""
        at = cast("str", self.book.catalogue.facts[name].moment)
        length = timedelta(seconds=SECONDS[unit])
        self.facts[at] = None if value is None else self.now - _number(name, value) * length

    def _other(self, name: str, value: Any) -> None:
        group = words()["groups"].get(name)
        if group is not None and isinstance(value, dict):
            for key, item in value.items():
                self.take(group.get(key, key), item)
        elif name in words()["unread"]:
            self.unread.append(name)
        else:
            known = {*self.book.catalogue.facts, *self.book.settings, *words()["fields"], *words()["groups"]}
            raise Unclear(f"没有名为 {name} 的字段{nearest(name, known)}")

    def strategy(self, given: Any) -> None:
        """Switches the named template on as the question says, within its scenario (R-015)."""
        if not isinstance(given, dict) or "template" not in given:
            raise Unclear("字段 strategy:需要 template")
        platform, template = self.facts.get("platform"), given["template"]
        found = [one for one in books.strategies() if one.template == template]
        if not found:
            close = nearest(str(template), [one.template for one in books.strategies()])
            raise Unclear(f"没有名为 {template} 的策略{close}")
        one = next((s for s in found if platform in s.platforms), found[0])
        types = given.get("types") or ([given["scenario"]] if given.get("scenario") else None)
        on = given.get("enabled", True)
        if types is not None and one.types is not None:
            self.take(one.types, types)
        elif types is not None:
            on = on and self.facts.get("aftersale_type") in types
        self.take(one.enabled, on)
        if given.get("max_amount") is not None and one.max_amount:
            self.take(one.max_amount, given["max_amount"])

    def assume(self) -> tuple[str, ...]:
        """The ordinary case for what was left out."""
        taken = []
        for name, value in words()["assumed"].items():
            if name in self.facts or name not in self.book.catalogue.facts:
                continue
            other = value[1:] if isinstance(value, str) and value.startswith("=") else None
            self.facts[name] = self.now if other == "now" else self.facts.get(other) if other else value
            taken.append(name)
        return tuple(taken)


def _key(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(name: str, value: Any) -> float | int:
    """Counts and lengths; more than a century of hours is a mistake."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise Unclear(f"字段 {name}:{value!r} 不是数字")
    if not -NUMBER_MAX <= value <= NUMBER_MAX:
        raise Unclear(f"字段 {name}:{value} 超出 ±{NUMBER_MAX}")
    return value if isinstance(value, int) else float(value)


def _time(name: str, value: Any) -> datetime:
    found = moment(value) if isinstance(value, str) else None
    if found is None:
        raise Unclear(f"字段 {name}:{value!r} 不是时间,请写成 2017-11-11T09:00:00")
    if found.year not in YEARS:
        raise Unclear(f"字段 {name}:{value} 不在 {YEARS[0]} 到 {YEARS[-1]} 年之间")
    return found


def _converted(name: str, kind: Type, value: Any) -> Value:
    """The value as the book takes it: yuan become fen, texts become moments. Raises Unclear."""
    found: Any = value
    match kind.kind:
        case "fen":
            found = fen_from_yuan(format(value, "f") if isinstance(value, Decimal) else str(value))
            if found is None:
                raise Unclear(f"字段 {name}:{value} 不是以元计、最多两位小数的金额")
        case "timestamptz":
            found = _time(name, value)
        case "int" | "hours" | "minutes" | "days":
            number = _number(name, value)
            found = int(number) if number == int(number) else number
    fault = value_fault(kind, found)
    if fault:
        raise Unclear(f"字段 {name}:{fault}")
    return tuple(found) if isinstance(found, list) else cast("Value", found)
