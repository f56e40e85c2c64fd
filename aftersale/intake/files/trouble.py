"""What can be wrong with a file (nothing of it is usable), a row or a cell (the row is parked).

Why is a sentence and its values, so that a page can say it in its reader's language.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aftersale.core.language.saying import Saying, plain, saying, told


class UnusableFile(Exception):
    """Nothing of the file can be used; `str()` is one clear line: what, where, what to do."""

    def __init__(self, name: str, say: str, **values: object) -> None:
        super().__init__((f"{name}：" if name else "") + told(say, values))
        self.told = saying(say, **values)


class WrongMapping(UnusableFile):
    """What somebody said of the columns does not fit; the file itself may be fine."""


class UnknownLayout(UnusableFile):
    """A table whose columns nobody has explained yet. `headers` in normal form, `rows` the first below them."""

    headers: Sequence[str]
    rows: Sequence[tuple[int, Sequence[object]]]
    nearest: str

    def with_table(
        self, headers: Sequence[str], rows: Sequence[tuple[int, Sequence[object]]], nearest: str
    ) -> "UnknownLayout":
        """The same with what the file shows."""
        self.headers, self.rows, self.nearest = list(headers), list(rows), nearest
        return self


class BadCell(ValueError):
    """One cell cannot be understood; `say` with its `values` says why and what to do."""

    def __init__(self, say: str, **values: object) -> None:
        super().__init__(say % values)
        self.say, self.values = say, values


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was left out: where it stands, what stood there (shortened), and why: a sentence and its values."""

    line: int
    column: str
    value: str
    say: str
    values: Mapping[str, object] = field(default_factory=dict)
    raw: bytes = field(default=b"", repr=False)  # the understood columns of the row, as JSON

    @property
    def why(self) -> str:
        return self.say % self.values

    @property
    def told(self) -> Saying:
        """The whole row in a sentence."""
        why = saying(self.say, **self.values)
        if self.column and self.value:
            return saying(
                "第 %(line)s 行「%(column)s」：%(why)s（原值：%(value)s）",
                line=self.line, column=self.column, why=why, value=self.value,
            )  # fmt: skip
        if self.column:
            return saying(
                "第 %(line)s 行「%(column)s」：%(why)s", line=self.line, column=self.column, why=why
            )
        return saying("第 %(line)s 行：%(why)s", line=self.line, why=why)

    def __str__(self) -> str:
        return plain(self.told)


VALUE_LENGTH_MAX = 40


def shorten(value: object) -> str:
    """A cell as it may be shown in a message."""
    text = " ".join(str(value).split())
    return text if len(text) <= VALUE_LENGTH_MAX else text[: VALUE_LENGTH_MAX - 1] + "…"
