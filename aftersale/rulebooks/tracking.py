"""The tracking reader with the shipped lexicon: what `tracking:read` answers."""

from functools import cache

from aftersale.core.records import BadInput
from aftersale.core.tracking.lexicon import load_lexicon
from aftersale.core.tracking.reading import Reader, Reading
from aftersale.rulebooks import books


@cache
def reader() -> Reader:
    """Raises RulebookError when the shipped file is wrong."""
    return Reader(load_lexicon(books.text("tracking.yaml")))


def read(courier: str | None, events: object) -> Reading | BadInput:
    """`events`: a list of {time, text, code?}; see docs/tracking.md."""
    return reader().read(courier, events)
