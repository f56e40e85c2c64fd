"""The refund book as one SQL statement over the cases touched by a batch."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from aftersale.core.expression import Lit
from aftersale.core.lowering import Lowered, levels, lower, lower_fact, sql_literal
from aftersale.core.rulebook import Book, Const, Setting
from aftersale.pg.sql import queries
from aftersale.rulebooks.books import Action

_SQL = queries("aftersale.decide", "verdict.sql")
_TYPES = {"bool": "bool", "text": "text", "enum": "text"}


@dataclass(frozen=True, slots=True)
class Spoken:
    """What one rule makes of a case: `kinds` are the intents that automation plans."""

    rule: str
    action: str
    queue: str | None
    kinds: tuple[str, ...]
    money: bool


def column(book: Book, fact: str) -> str:
    """The stored column of a fact; money columns carry their unit."""
    return f"{fact}_fen" if book.catalogue.facts[fact].type.kind == "fen" else fact


def spoken(book: Book, actions: Mapping[str, Action]) -> tuple[Spoken, ...]:
    """Number 0 is `otherwise`, then the rules in order."""
    thens = [("otherwise", book.otherwise), *((rule.name, rule.then) for rule in book.rules)]
    return tuple(_spoken(name, then, actions) for name, then in thens)


def _spoken(name: str, then: Mapping[str, Any], actions: Mapping[str, Action]) -> Spoken:
    code = str(_constant(then.get("action")))
    action = actions[code]
    queue = cast("str | None", _constant(then.get("queue")))
    first = cast("list[str]", _constant(then.get("first")) or [])
    planned = [*(i for one in first for i in actions[one].intents), *action.intents] if queue is None else []
    kinds = tuple(dict.fromkeys(f"message:{code}" if kind == "message" else kind for kind in planned))
    return Spoken(name, code, queue, kinds, "agree_refund" in kinds)


def _constant(output: object) -> object:
    if isinstance(output, Lit | Const):
        return output.value
    assert output is None, f"action and queue are literals, not {output}"
    return None


@dataclass(frozen=True, slots=True)
class Target:
    """Temp tables and the shops as SQL: where verdicts go, which cases are asked about, whose settings count."""

    into: str = "verdict"
    touched: str = "touched"
    shop: str = "shop"


LIVE = Target()


def statement(book: Book, actions: Mapping[str, Action], *, shops_differ: bool, target: Target = LIVE) -> str:
    """INSERT INTO `target.into` for the cases touched; parameter `now`, and those of the target.

    `shops_differ`: settings are read per shop; otherwise the book's defaults are folded in (unless platforms
    have defaults of their own).
    """
    shops_differ = shops_differ or any(one.by_platform for one in book.settings.values())
    setting: Any = (lambda name: f"s.{name}") if shops_differ else _defaults(book)
    layers, place = _derived(book)

    def at(moment: str) -> Lowered:
        return lower(
            book, "postgres", fact=_fact(book, place), setting=setting, now=moment, given=tuple(place)
        )

    now = at("m.at")
    says = spoken(book, actions)
    return _SQL["verdict"].format(
        into=target.into,
        touched=target.touched,
        settings=f"s AS MATERIALIZED ({_settings(book, target.shop)})," if shops_differ else "",
        join_settings="JOIN s ON s.shop_id = t.shop_id" if shops_differ else "",
        derived=_escaped("\n  ".join(layers)),
        rule_no=_escaped(now.rule_no),
        rules=_array(one.rule for one in says),
        actions=_array(one.action for one in says),
        queues=_array(one.queue for one in says),
        kinds=_array(",".join(one.kinds) for one in says),
        monies=_array(one.money for one in says),
        amount=_escaped(now.output("amount", "j.rule_no")),
        due_hours=_escaped(now.output("due_hours", "j.rule_no")),
        reads=", ".join(f"f.{column(book, n)}" for n in book.reads),
        looks=_escaped(", ".join(now.looks)),
        rule_no_then=_escaped(at("k.at").rule_no),
    )


def _derived(book: Book) -> tuple[list[str], dict[str, str]]:
    """The derived facts that do not depend on the moment, each after those that it reads, so that each is computed once a
    row: joins that follow one another, and the column of each fact."""
    layers: list[str] = []
    place: dict[str, str] = {}
    for no, level in enumerate(levels(book)):
        fact, given = _fact(book, place), tuple(place)
        told = (
            (name, lower_fact(book.catalogue, name, "postgres", fact=fact, now="@now@", given=given))
            for name in level
        )
        made = {name: text for name, text in told if "@now@" not in text}
        if made:
            columns = ", ".join(f"{text} AS {name}" for name, text in made.items())
            layers.append(f"CROSS JOIN LATERAL (SELECT {columns} OFFSET 0) d{no}")
        place |= {name: f"d{no}.{name}" for name in made}
    return layers, place


def _fact(book: Book, place: Mapping[str, str]) -> Callable[[str], str]:
    return lambda name: place.get(name) or f"f.{column(book, name)}"


def _defaults(book: Book) -> Mapping[str, Any]:
    return {name: setting.default for name, setting in book.settings.items()}


def _settings(book: Book, shop: str) -> str:
    columns = ", ".join(f"{_setting(name, one)} AS {name}" for name, one in book.settings.items())
    return f"SELECT id AS shop_id, {columns} FROM {shop} WHERE id IN (SELECT shop_id FROM touched)"


def _setting(name: str, setting: Setting) -> str:
    """The shop's own value, else the default of its platform."""
    default = sql_literal(setting.default, "postgres")
    if setting.by_platform:
        other = " ".join(
            f"WHEN {sql_literal(at, 'postgres')} THEN {sql_literal(value, 'postgres')}"
            for at, value in setting.by_platform.items()
        )
        default = f"CASE platform {other} ELSE {default} END"
    assert not setting.history, (
        f"{name}: what changed over time is said by a rule's dates where cases are decided"
    )
    if setting.type.kind == "list":
        return (
            f"CASE WHEN settings ? '{name}' THEN ARRAY(SELECT jsonb_array_elements_text(settings->'{name}'))"
            f" ELSE {default} END"
        )
    if setting.far is not None:
        own = f"greatest(-{setting.far}, least({setting.far}, (settings->>'{name}')::numeric))::bigint"
        return f"CASE WHEN settings->>'{name}' IS NULL THEN {default} ELSE {own} END"
    return f"coalesce((settings->>'{name}')::{_TYPES.get(setting.type.kind, 'bigint')}, {default})"


def _array(values: Iterable[str | bool | None]) -> str:
    """One value a rule, looked up by the rule's number: cheaper than a join."""
    texts = [sql_literal(value, "postgres") for value in values]
    kind = "bool" if texts[0] in ("true", "false") else "text"
    return _escaped(f"ARRAY[{', '.join(texts)}]::{kind}[]")


def _escaped(sql: str) -> str:
    return sql.replace("%", "%%")
