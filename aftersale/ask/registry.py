"""Which functions answer questions, and whose settings they read: (book, functions)."""

from collections.abc import Callable, Sequence
from typing import Any

from aftersale.ask.listing import strategy_list

TABLES: Sequence[tuple[str | None, Sequence[Callable[..., Any]]]] = ((None, (strategy_list,)),)
