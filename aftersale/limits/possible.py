"""The book `possible` as the function `impossible`: what no platform would take, of one case or of many at once."""

from collections.abc import Iterable
from functools import cache

from aftersale.core.lowering import lower, sql_literal
from aftersale.pg.sql import queries
from aftersale.rulebooks import books

_SQL = queries("aftersale.limits", "possible.sql")
BOOK = "possible"


@cache
def function() -> str:
    """The SQL that makes it; it is written so that a planner can make one query of it and the one that asks."""
    book = books.book(BOOK)
    facts = {
        name: f"f.{name}{'_fen' * (one.type.kind == 'fen')}" for name, one in book.catalogue.facts.items()
    }
    facts["attempt"] = "impossible.attempt"
    lowered = lower(book, "postgres", fact=facts.__getitem__, setting={}, now="moment()")
    reasons = [str(getattr(rule.then["why"], "value", "")) for rule in book.rules]
    said = (books.titles()["why"][reason][0] for reason in reasons)
    return _SQL["impossible"].format(rule_no=lowered.rule_no, reasons=_array(reasons), said=_array(said))


def _array(texts: Iterable[str]) -> str:
    return f"ARRAY[{', '.join(sql_literal(text, 'postgres') for text in texts)}]"
