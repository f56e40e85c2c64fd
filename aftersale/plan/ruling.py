"""One version of a book over rows: its SQL, and what each of its rules means for people and money."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from aftersale.core.expression import Lit, Value
from aftersale.core.language.dialects import Dialect, sql_type
from aftersale.core.lowering import Lowered, levels, lower, lower_fact
from aftersale.core.rulebook import Book, Const, Output
from aftersale.plan.source import Source
from aftersale.rulebooks import books

OTHERWISE = "otherwise"
Way = Literal["automatic", "person", "nothing"]
MONEY = "amount"


@dataclass(frozen=True, slots=True)
class Standing:
    """What a rule leads to. `pays`: automation sends the money itself; `action`, `queue`: None where not said."""

    rule: str
    title: str
    action: str | None
    queue: str | None
    way: Way
    pays: bool


@dataclass(frozen=True)
class Ruling:
    """A book with every setting's value."""

    book: Book
    settings: Mapping[str, Value]

    @property
    def standings(self) -> tuple[Standing, ...]:
        """By rule number; 0 is `otherwise`."""
        thens: list[tuple[str, str, Mapping[str, Output]]] = [
            (OTHERWISE, "没有规则命中", self.book.otherwise)
        ]
        thens += [(rule.name, rule.title, rule.then) for rule in self.book.rules]
        return tuple(_standing(name, title, then) for name, title, then in thens)

    def lowered(self, source: Source, dialect: Dialect) -> Lowered:
        """The book over the rows of `known`."""
        given = [name for level in levels(self.book) for name in level]
        return lower(
            self.book, dialect, fact=lambda name: name, setting=self.settings, now=source.at, given=given
        )

    def pays(self, lowered: Lowered, rule_no: str) -> str:
        """SQL of what automation would pay for a row (fen); NULL where it would not."""
        paying = [str(no) for no, one in enumerate(self.standings) if one.pays]
        if not paying or MONEY not in lowered.outputs:
            return "cast(null as bigint)"
        return f"case when {rule_no} in ({', '.join(paying)}) then {lowered.output(MONEY, rule_no)} end"


def _standing(name: str, title: str, then: Mapping[str, Output]) -> Standing:
    code, queue = _constant(then.get("action")), _constant(then.get("queue"))
    action = books.actions().get(code or "")
    acts = code is not None and code != "none"
    way: Way = "person" if queue is not None else "automatic" if acts else "nothing"
    pays = queue is None and action is not None and "agree_refund" in action.intents
    return Standing(name, title, code, queue, way, pays)


def _constant(output: Output | None) -> str | None:
    value = output.value if isinstance(output, Lit | Const) else None
    return value if isinstance(value, str) else None


def known(source: Source, rulings: Sequence[Book], dialect: Dialect) -> str:
    """A query: every fact that the books read by its name, derived ones too, each computed once; decided_at and
    case_id where there are any."""
    facts = [f"{text} AS {name}" for name, text in source.facts.items()]
    others = [source.case_id] if source.case_id else []
    if isinstance(source.at, str):
        others.append(f"cast({source.at} as {sql_type('timestamptz', dialect)}) AS {source.at}")
    sql = f"SELECT {', '.join([*facts, *others])} FROM {source.relation}"
    given: list[str] = []
    for level in _levels(rulings):
        made = [
            lower_fact(
                rulings[0].catalogue, name, dialect, fact=lambda name: name, now=source.at, given=given
            )
            + f" AS {name}"
            for name in level
        ]
        sql = f"SELECT *, {', '.join(made)} FROM ({sql}) AS below"
        given += level
    return sql


def _levels(rulings: Sequence[Book]) -> list[tuple[str, ...]]:
    """Those of several books of one catalogue, none twice."""
    found: list[tuple[str, ...]] = []
    seen: set[str] = set()
    for book in rulings:
        for level in levels(book):
            new = tuple(name for name in level if name not in seen)
            seen |= set(new)
            found += [new] if new else []
    return found
