"""Two versions of a book over the same rows: who would have been decided differently."""

from dataclasses import dataclass
from typing import Any

from aftersale.core.lowering import Lowered
from aftersale.plan.backtest import Minutes
from aftersale.plan.ruling import Ruling, Standing, known
from aftersale.plan.source import Engine, Source

EXAMPLES_MAX = 5


@dataclass(frozen=True, slots=True)
class Move:
    """Cases that the old book decided by rule `old` and the new one by `new`. `*_pays_fen`: what automation would
    pay; `examples`: ids, none where the file has no case_id."""

    old: str
    new: str
    cases: int
    old_pays_fen: int
    new_pays_fen: int
    changed_amounts: int
    changed: bool
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """`changed`: cases whose rule, action, queue or amount differ; minutes are people's."""

    cases: int
    changed: int
    old_pays_fen: int
    new_pays_fen: int
    old_minutes: int
    new_minutes: int
    old_automatic: int
    new_automatic: int
    moves: tuple[Move, ...]


def compare(
    engine: Engine,
    source: Source,
    old: Ruling,
    new: Ruling,
    *,
    examples: int = EXAMPLES_MAX,
    minutes: Minutes | None = None,
) -> Comparison:
    """Both books read one catalogue and are `hit: first`; `source` was made for both."""
    lowered = old.lowered(source, engine.dialect), new.lowered(source, engine.dialect)
    rows = engine.rows(_sql(engine, source, (old, new), lowered, examples))
    times = minutes or Minutes()
    befores, afters = old.standings, new.standings
    moves = tuple(
        sorted((_move(row, befores, afters) for row in rows), key=lambda one: (-one.cases, one.old, one.new))
    )
    return Comparison(
        sum(move.cases for move in moves),
        sum(move.cases if _moved(move, old, new) else move.changed_amounts for move in moves),
        sum(move.old_pays_fen for move in moves),
        sum(move.new_pays_fen for move in moves),
        sum(row[2] * times.of(befores[row[0]]) for row in rows),
        sum(row[2] * times.of(afters[row[1]]) for row in rows),
        sum(row[2] for row in rows if befores[row[0]].way == "automatic"),
        sum(row[2] for row in rows if afters[row[1]].way == "automatic"),
        moves,
    )


def _sql(
    engine: Engine,
    source: Source,
    rulings: tuple[Ruling, Ruling],
    lowered: tuple[Lowered, Lowered],
    examples: int,
) -> str:
    rows = known(source, [ruling.book for ruling in rulings], engine.dialect)
    numbers = ", ".join(
        f"{one.rule_no} AS {name}_no" for one, name in zip(lowered, ("old", "new"), strict=True)
    )
    pays = ", ".join(
        f"{ruling.pays(one, f'{name}_no')} AS {name}_pays"
        for ruling, one, name in zip(rulings, lowered, ("old", "new"), strict=True)
    )
    differs = f"({_twin(*rulings)} <> new_no OR old_pays IS DISTINCT FROM new_pays)"
    ids = (
        f"{engine.smallest(source.case_id, examples)} FILTER (WHERE {differs})"
        if source.case_id and examples
        else "NULL"
    )
    return (
        "SELECT old_no, new_no, count(*), sum(old_pays), sum(new_pays),"
        f" count(*) FILTER (WHERE old_pays IS DISTINCT FROM new_pays), {ids}"
        f" FROM (SELECT *, {pays} FROM (SELECT *, {numbers} FROM ({rows}) AS known) AS ruled) AS paid"
        " GROUP BY old_no, new_no"
    )


def _twin(old: Ruling, new: Ruling) -> str:
    """SQL of the number that the new book gives to the old book's rule if it still means the same, else -1."""
    numbers = {one: no for no, one in enumerate(_meanings(new))}
    arms = [
        f"WHEN {no} THEN {numbers.get(one, -1)}"
        for no, one in enumerate(_meanings(old))
        if numbers.get(one, -1) != no
    ]
    return f"CASE old_no {' '.join(arms)} ELSE old_no END" if arms else "old_no"


def _meanings(ruling: Ruling) -> list[tuple[str, str | None, str | None]]:
    return [(one.rule, one.action, one.queue) for one in ruling.standings]


def _moved(move: Move, old: Ruling, new: Ruling) -> bool:
    before = next(one for one in _meanings(old) if one[0] == move.old)
    return before != next(one for one in _meanings(new) if one[0] == move.new)


def _move(row: tuple[Any, ...], befores: tuple[Standing, ...], afters: tuple[Standing, ...]) -> Move:
    before, after = befores[row[0]], afters[row[1]]
    same = (before.rule, before.action, before.queue) == (after.rule, after.action, after.queue)
    return Move(
        before.rule, after.rule, row[2], row[3] or 0, row[4] or 0, row[5], not same or row[5] > 0,
        tuple(map(str, row[6] or ())),
    )  # fmt: skip
