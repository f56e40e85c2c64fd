"""Every text field that a person meets: found by walking through the pages, filled, and looked for in the record."""

import re
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from io import BytesIO
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import psycopg
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import Resolver404, resolve
from PIL import Image
from psycopg import sql

from tests.people.conftest import PASSWORD
from tests.people.crawl import TEXTS, Field, Form, read
from tests.people.hostile import XSS
from tests.people.matrix import routes

MARK = re.compile(r"q\d{5}z")
WRITTEN = TEXTS | {"textarea", "file"}
PACK, LONG, SHORT, NAME_MAX, TRIES, DOORS = 500, 2000, 90, 180, 18, 5
# What a form needs beside the text that is tried, by the name of the field, else by its kind.
BESIDE_KIND = {
    "date": "2026-11-12", "datetime-local": "2026-11-12T12:00", "number": "1", "decimal": "0.01", "numeric": "1",
    "time": "12:00", "email": "a@example.com", "url": "https://example.com/",
}  # fmt: skip
SAID = re.compile(
    r"(?:alert|invalid|error|empty|message|toast|desk-lead|wrong|refus)[^>]*>(?:\s*<[^>]*>)*\s*([^<]*[\u4e00-\u9fff][^<]*)"
)
PLAIN = re.compile(r"<(?:h1|p)\b[^>]*>\s*([^<]*[\u4e00-\u9fff][^<]*)")
BESIDE = {"to": "role:lead", "f_waybill": "SF1300000002"}
# Leaving and entering are no text of anybody's.
LEAVES = ("/logout", "/language")
AGAIN = "/account/again?"

_made = BytesIO()
Image.new("RGB", (8, 8), "white").save(_made, "PNG")
PICTURE = _made.getvalue()


def shape(address: str) -> str:
    """What an address is of: its route, and the names of what it asks."""
    parts = urlsplit(address)
    try:
        found = resolve(parts.path)
    except Resolver404:
        return ""
    words = [
        str(found.kwargs[one])
        for one in ("kind", "act", "what", "how", "yes", "state")
        if one in found.kwargs
    ]
    asked = sorted({name for name, _ in parse_qsl(parts.query, keep_blank_values=True)})
    return " ".join([found.route, *words, *asked])


@dataclass(frozen=True, slots=True)
class Place:
    """A field of a form, wherever a page has it; `query`: what an address asks."""

    form: str
    name: str
    kind: str = "query"

    def __str__(self) -> str:
        return f"{self.form} {self.name} ({self.kind})"


@dataclass(frozen=True, slots=True)
class Door:
    """A form as one person met it on one page."""

    who: str
    page: str
    action: str
    form: Form

    @property
    def key(self) -> str:
        names = dict.fromkeys(one.name for one in self.form.fields if one.name != "csrfmiddlewaretoken")
        return f"{self.form.method} {shape(self.action.partition('?')[0])} {','.join(names)}"

    def fields(self, *kinds: str) -> Iterator[Field]:
        seen = set()
        for one in self.form.fields:
            if one.kind in kinds and one.name not in seen and one.name != "csrfmiddlewaretoken":
                seen.add(one.name)
                yield one


@dataclass(slots=True)
class Site:
    """All that was found. `pages`: who opens which; `asked`: addresses with a question by their shape."""

    doors: dict[str, list[Door]] = field(default_factory=dict)
    pages: dict[str, tuple[str, str]] = field(default_factory=dict)
    asked: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    loose: set[str] = field(default_factory=set)
    broken: list[str] = field(default_factory=list)


Clients = Callable[[str], Client]


def beginnings() -> list[str]:
    """Addresses of the router that name nothing."""
    return [
        f"/{one.path}" for one in routes() if not one.names and not one.path.startswith(("api", "logout"))
    ]


def walk(
    site: Site, clients: Clients, who: str, each: int, more: Iterable[str], deep: bool
) -> Iterator[tuple[str, str]]:
    """Whatever this person can click through to: `each` things of a kind, and whatever asks for something in a new way."""
    ways, met, seen, asks = deque(more), Counter[str](), set[str](), set[tuple[str, str]]()
    while ways:
        address = ways.popleft()
        path, _, query = address.partition("?")
        route = shape(path)
        new = {(route, name) for name, _ in parse_qsl(query, keep_blank_values=True)} - asks
        if not route or address in seen or path.startswith(LEAVES) or (query and not new):
            continue
        seen.add(address)
        if not query and met[route] >= each:
            continue
        asks |= new
        met[route] += not query
        answer: Any = clients(who).get(address)
        if answer.status_code >= 500:
            site.broken.append(f"{who} get {address}: {answer.status_code}")
        if answer.status_code in (301, 302) and answer["Location"].startswith("/"):
            ways.append(answer["Location"])
        if answer.status_code != 200 or answer.streaming or "text/html" not in answer["Content-Type"]:
            continue
        page = answer.content.decode()
        yield address, page
        ways += read(page, address).links if deep else []


def survey(site: Site, clients: Clients, who: str, each: int, more: Iterable[str], deep: bool = True) -> None:
    """Adds what this person finds."""
    for address, page in walk(site, clients, who, each, more, deep):
        found = read(page, address)
        site.pages.setdefault(address, (who, page))
        site.loose |= {f"{shape(address)} {name}" for name in found.loose}
        for name, _ in parse_qsl(urlsplit(address).query, keep_blank_values=True):
            site.asked.setdefault(f"{shape(urlsplit(address).path)} {name}", (who, address, name))
        for form in found.forms:
            for action in dict.fromkeys([form.action, *form.others]):
                if form.method in ("get", "post") and not action.startswith(LEAVES):
                    door = Door(who, address, action, form)
                    site.doors.setdefault(door.key, []).append(door)


def packs(size: int, turn: int) -> Iterator[list[str]]:
    """All texts from the `turn`th on, as many together as a field takes."""
    pack: list[str] = []
    turn %= len(XSS)
    for text in XSS[turn:] + XSS[:turn]:
        if pack and len(" ".join([*pack, text])) > size:
            yield pack
            pack = []
        pack.append(text)
    yield pack


@dataclass(slots=True)
class Typist:
    """Types the texts into the fields, and knows what became of them."""

    clients: Clients
    database: str
    places: dict[str, Place] = field(default_factory=dict)
    met: dict[Place, set[str]] = field(default_factory=dict)
    kept: set[Place] = field(default_factory=set)
    digits: set[Place] = field(default_factory=set)
    said: dict[Place, str] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    led: dict[str, str] = field(default_factory=dict)

    def text(self, place: Place, pack: list[str]) -> str:
        """What is typed: the texts, and a mark by which it is found again."""
        mark = f"q{len(self.places):05d}z"
        self.places[mark] = place
        self.met.setdefault(place, set()).update(pack)
        return f"{' '.join(pack)} //{mark}"

    def send(self, door: Door, given: dict[str, Any]) -> Any:
        client = self.clients(door.who)
        answer: Any = getattr(client, door.form.method)(door.action, given)
        if answer.headers.get("Location", "").startswith(AGAIN):  # who they are, once more
            client.post(answer.headers["Location"], {"password": PASSWORD})
            answer = getattr(client, door.form.method)(door.action, given)
        if answer.status_code >= 500:
            self.broken.append(f"{door.who} {door.key} {sorted(given)}: {answer.status_code}")
        where = answer.headers.get("Location", "")
        if answer.status_code == 302 and not where.startswith("/"):
            self.broken.append(f"{door.key} leads to {where[:80]}")
        elif answer.status_code == 302 and "//" not in where[:2]:
            self.led.setdefault(where, door.who)
        if where.startswith("/login") and door.who:
            self.broken.append(f"{door.who} was signed out by {door.key}")
        return answer

    def alone(self, place: Place, doors: list[Door], one: Field, turn: int) -> None:
        """One field with all else as it should be, until one door keeps it."""
        size = min(one.most or LONG, NAME_MAX if one.kind == "file" else LONG) - len(" //q00000z")
        tries = [
            (door, MappingProxyType[str, str]({}))
            for door in list({one.action: one for one in doors}.values())[:DOORS]
        ]
        tries += [(doors[0], MappingProxyType(each)) for each in besides(doors[0], one.name)]
        for n, (door, beside) in enumerate(tries[: 1 if one.digits or one.kind == "password" else TRIES]):
            text = self.text(place, fitting(min(size, SHORT) if n else size, turn))
            answer = self.send(door, filled(self.fresh(door), {one.name: text}, beside))
            if self.found(text):
                self.kept.add(place)
                return
            self.said[place] = max(self.said.get(place, ""), self.sentence(door, answer), key=len)

    def fresh(self, door: Door) -> Door:
        """The same form as its page has it now."""
        answer: Any = self.clients(door.who).get(door.page)
        if answer.status_code == 200:
            for form in read(answer.content.decode(), door.page).forms:
                if door.action in (form.action, *form.others) and [*form.values] == [*door.form.values]:
                    return replace(door, form=form)
        return door

    def sentence(self, door: Door, answer: Any) -> str:
        """The line that says what is wrong, here or where the answer leads."""
        if answer.status_code == 302:
            answer = self.clients(door.who).get(answer["Location"])
        if answer.streaming or "text/html" not in answer.headers.get("Content-Type", ""):
            return ""
        page = answer.content.decode("utf-8", "replace")
        said = SAID.findall(page) or (PLAIN.findall(page) if answer.status_code >= 400 else [])
        return " | ".join(one.strip() for one in said[:2])

    def found(self, text: str) -> bool:
        """Does a table hold the text as it was typed?"""
        mark = text[-8:].strip("/")
        with psycopg.connect(self.database) as conn:
            tables = [name for (name,) in conn.execute(TABLES).fetchall()]
            look = sql.SQL(" UNION ALL ").join(
                sql.SQL("SELECT to_jsonb(t) FROM {} t WHERE t::text LIKE {}").format(
                    sql.Identifier(name), sql.Literal(f"%{mark}%")
                )
                for name in tables
            )
            rows = conn.execute(look).fetchall()
        return any(mark in value for (row,) in rows for value in strings(row))

    def all(self, places: list[tuple[Place, Field]], door: Door, turn: int) -> None:
        """Every text into every field of a form, several fields at a time."""
        rows = {place: list(packs(pack_size(one), turn + n * 7)) for n, (place, one) in enumerate(places)}
        for row in range(max(map(len, rows.values()))):
            given = {one.name: self.text(place, rows[place][row % len(rows[place])]) for place, one in places}
            self.send(door, filled(door, given))


TABLES = """SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
AND relname <> 'django_session'"""


def pack_size(one: Field) -> int:
    if one.kind in ("hidden", "password"):
        return 4 * LONG
    if one.kind == "file":
        return NAME_MAX
    return PACK if PACK <= (one.most or LONG) < LONG else LONG


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from strings(one)


def fitting(size: int, turn: int) -> list[str]:
    """The next texts that fit."""
    return next((pack for pack in packs(size, turn) if len(" ".join(pack)) <= size), [XSS[turn % len(XSS)]])


def besides(door: Door, name: str) -> Iterator[dict[str, str]]:
    """What else the form is filled with: without what need not be said, each choice once."""
    yield {
        one.name: "" for one in door.form.fields if one.kind in WRITTEN and not door.form.values.get(one.name)
    }
    for one, choices in sorted(door.form.choices.items(), key=lambda each: len(each[1])):
        for choice in dict.fromkeys(choices):
            if one != name and choice != door.form.values.get(one):
                yield {one: choice}


def file(one: Field, name: str) -> SimpleUploadedFile:
    if "image" in one.takes:
        return SimpleUploadedFile(f"{name}.png", PICTURE, "image/png")
    return SimpleUploadedFile(f"{name}.csv", "订单号,金额\n1,2\n".encode(), "text/csv")


def usual(door: Door, one: Field) -> Any:
    if one.kind == "file":
        return file(one, "x")
    if (value := door.form.values.get(one.name)) or one.kind in ("hidden", "select", "button"):
        return value or ""
    return BESIDE.get(one.name) or BESIDE_KIND.get(one.digits or one.kind) or "x"


def filled(
    door: Door, given: dict[str, str], beside: Mapping[str, str] = MappingProxyType({})
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in door.form.fields:
        if one.name == "csrfmiddlewaretoken":
            continue
        if one.name not in given:
            found[one.name] = beside[one.name] if one.name in beside else usual(door, one)
        else:
            found[one.name] = file(one, given[one.name]) if one.kind == "file" else given[one.name]
    return {**found, **{name: value for name, value in beside.items() if name not in given}}
