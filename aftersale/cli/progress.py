"""What the file commands share: a progress bar on stderr, and the one line for input that cannot be used."""

import sys
from types import TracebackType
from typing import NoReturn, Self

from rich.console import Console
from rich.progress import Progress

from aftersale.cli import fail


class Bar:
    """A bar of the share done; silent when `quiet` or when nobody watches stderr."""

    def __init__(self, title: str, *, quiet: bool) -> None:
        watched = not quiet and sys.stderr.isatty()
        self._bar = Progress(console=Console(stderr=True), transient=True, disable=not watched)
        self._task = self._bar.add_task(title, total=1.0)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def show(self, share: float) -> None:
        """Moves the bar to `share` of 1."""
        self._bar.update(self._task, completed=share)


def unusable(message: str) -> NoReturn:
    """One clear line, exit code 2."""
    fail(message, 2)
    raise AssertionError
