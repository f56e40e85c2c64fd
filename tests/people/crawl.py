"""The forms of a page as a program without scripts finds them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

TEXTS = frozenset({"", "text", "search", "url", "email", "tel", "password"})


def money_like(name: str) -> bool:
    """Is a field of this name an amount, wherever it stands?"""
    return name.endswith(("fen", "_yuan")) or "amount" in name


@dataclass(slots=True)
class Form:
    """What it would send as it stands; `texts`: fields that a person types into; `numbers`: those of digits; `decimals`: of yuan."""

    action: str
    method: str
    values: dict[str, str] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    decimals: list[str] = field(default_factory=list)
    file: bool = False

    @property
    def money(self) -> list[str]:
        """Fields that hold an amount."""
        return [name for name in self.values if name in self.decimals or money_like(name)]


class _Reader(HTMLParser):
    def __init__(self, here: str) -> None:
        super().__init__()
        self.here, self.forms, self.inside, self.choosing = here, list[Form](), False, ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        if tag == "form":
            self.forms.append(Form(given.get("action") or self.here, given.get("method", "get").lower()))
            self.inside = True
        elif self.inside and tag in ("input", "textarea", "button", "select") and name:
            self._field(self.forms[-1], tag, name, given)
        elif (
            tag == "option"
            and self.choosing
            and ("selected" in given or self.choosing not in self.forms[-1].values)
        ):
            self.forms[-1].values[self.choosing] = given.get("value", "")

    def _field(self, form: Form, tag: str, name: str, given: dict[str, str]) -> None:
        kind = given.get("type", "text" if tag == "input" else "")
        if tag == "select":
            self.choosing = name
            return
        if kind == "file":
            form.file = True
        elif kind in ("checkbox", "radio"):
            form.values.setdefault(name, given.get("value", "on"))
        elif name != "csrfmiddlewaretoken":
            form.values[name] = given.get("value", "")
            if tag == "textarea" or (tag == "input" and kind in TEXTS):
                form.texts.append(name)
                if given.get("inputmode") == "decimal":
                    form.decimals.append(name)
            elif tag == "input" and kind == "number":
                form.numbers.append(name)

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag != "form"
        self.choosing = "" if tag == "select" else self.choosing


def forms(page: str, here: str) -> Iterator[Form]:
    """All forms of a page, in its order."""
    reader = _Reader(here)
    reader.feed(page)
    yield from reader.forms
