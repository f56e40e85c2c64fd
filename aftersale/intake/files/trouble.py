"""What can be wrong with a file (nothing of it is usable), a row or a cell (the row is parked)."""

from collections.abc import Sequence
from dataclasses import dataclass, field


class UnusableFile(Exception):
    """Nothing of the file can be used; `str()` is one clear line: what, where, what to do."""


class UnknownLayout(UnusableFile):
    """A table whose columns nobody has explained yet. `headers` in normal form, `rows` the first below them."""

    def __init__(
        self, why: str, headers: Sequence[str], rows: Sequence[tuple[int, Sequence[object]]], nearest: str
    ) -> None:
        super().__init__(why)
        self.headers, self.rows, self.nearest = list(headers), list(rows), nearest


class BadCell(ValueError):
    """One cell cannot be understood; `str()` says why and what to do."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was left out: where it stands, what stood there (shortened), and why."""

    line: int
    column: str
    value: str
    why: str
    raw: bytes = field(default=b"", repr=False)  # the understood columns of the row, as JSON

    def __str__(self) -> str:
        place = f"第 {self.line} 行" + (f"「{self.column}」" if self.column else "")
        return f"{place}：{self.why}" + (f"（原值：{self.value}）" if self.value else "")


VALUE_LENGTH_MAX = 40


def shorten(value: object) -> str:
    """A cell as it may be shown in a message."""
    text = " ".join(str(value).split())
    return text if len(text) <= VALUE_LENGTH_MAX else text[: VALUE_LENGTH_MAX - 1] + "…"
