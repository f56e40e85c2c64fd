"""The forms and links of a page as a program without scripts finds them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

TEXTS = frozenset({"", "text", "search", "url", "email", "tel", "password"})


def money_like(name: str) -> bool:
    """Is a field of this name an amount, wherever it stands?"""
    return name.endswith(("fen", "_yuan")) or "amount" in name


@dataclass(frozen=True, slots=True)
class Field:
    """One of a form. `kind`: an input's type, or the tag; `most`: the characters that it takes, 0 where it does not say."""

    name: str
    kind: str
    most: int = 0
    digits: str = ""
    takes: str = ""


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
    fields: list[Field] = field(default_factory=list)
    choices: dict[str, list[str]] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)
    """Where else a button or a script sends it."""

    @property
    def money(self) -> list[str]:
        """Fields that hold an amount."""
        return [name for name in self.values if name in self.decimals or money_like(name)]


class _Reader(HTMLParser):
    def __init__(self, here: str) -> None:
        super().__init__()
        self.here, self.forms, self.inside, self.choosing = here, list[Form](), False, ""
        self.links, self.loose, self.writing = list[str](), list[str](), False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        self.links += [
            given[one] for one in ("href", "hx-get", "data-open") if tag != "link" and given.get(one)
        ]
        if tag == "form":
            action = given.get("action") or self.here
            self.forms.append(Form(action, given.get("method", "get").lower()))
            self.forms[-1].others += [given["hx-post"]] if given.get("hx-post") else []
            self.inside = True
        elif self.inside and tag == "button" and given.get("formaction"):
            self.forms[-1].others.append(given["formaction"])
        elif self.inside and tag in ("input", "textarea", "button", "select") and name:
            self._field(self.forms[-1], tag, name, given)
        elif tag in ("input", "textarea") and name and given.get("type", "text") in TEXTS:
            self.loose.append(name)
        elif tag == "option" and self.choosing:
            self._choice(self.forms[-1], self.choosing, given)

    def _choice(self, form: Form, name: str, given: dict[str, str]) -> None:
        form.choices.setdefault(name, []).append(given.get("value", ""))
        if "selected" in given or not form.values.get(name):
            form.values[name] = given.get("value", "")

    def _field(self, form: Form, tag: str, name: str, given: dict[str, str]) -> None:
        kind = given.get("type", "text") if tag == "input" else tag
        most = given.get("maxlength", "")
        digits = given.get("inputmode", "") if given.get("inputmode") in ("decimal", "numeric") else ""
        form.fields.append(
            Field(name, kind, int(most) if most.isdigit() else 0, digits, given.get("accept", ""))
        )
        if tag == "select":
            self.choosing = name
        elif kind == "file":
            form.file = True
        elif kind in ("checkbox", "radio"):
            form.values.setdefault(name, given.get("value", "on"))
            form.choices.setdefault(name, []).append(given.get("value", "on"))
        elif name != "csrfmiddlewaretoken":
            form.values[name] = given.get("value", "")
            if tag == "button":
                form.choices.setdefault(name, []).append(given.get("value", ""))
            self.writing = tag == "textarea"
            if tag == "textarea" or (tag == "input" and kind in TEXTS):
                form.texts.append(name)
                if digits == "decimal":
                    form.decimals.append(name)
            elif tag == "input" and kind == "number":
                form.numbers.append(name)

    def handle_data(self, data: str) -> None:
        if self.writing:
            form = self.forms[-1]
            form.values[form.fields[-1].name] += data

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag != "form"
        self.choosing = "" if tag == "select" else self.choosing
        self.writing = self.writing and tag != "textarea"


def forms(page: str, here: str) -> Iterator[Form]:
    """All forms of a page, in its order."""
    yield from read(page, here).forms


@dataclass(frozen=True, slots=True)
class Found:
    """What a page leads to. `loose`: names of text fields that stand in no form."""

    forms: list[Form]
    links: list[str]
    loose: list[str]


def read(page: str, here: str) -> Found:
    """Forms and links of a page, links as addresses of this site."""
    reader = _Reader(here)
    reader.feed(page)
    links = [urljoin(here, one).split("#")[0] for one in reader.links]
    for form in reader.forms:
        form.action, form.others = urljoin(here, form.action), [urljoin(here, one) for one in form.others]
    inner = [
        one for one in dict.fromkeys(links) if one.startswith("/") and not one.startswith(("//", "/static"))
    ]
    return Found(reader.forms, inner, reader.loose)
