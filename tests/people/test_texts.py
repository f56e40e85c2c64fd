"""Whatever a person can type into any page is tried with all texts that want to become code, and read in a browser."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit

import psycopg
import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from playwright.sync_api import Browser, Page

from aftersale.people.accounts import ensure_user
from tests.conftest import Database
from tests.people.browser import chromium, site
from tests.people.conftest import PASSWORD
from tests.people.foreign import CASE, NUMBER, OWNER, WAYBILL, plant
from tests.people.hostile import XSS
from tests.people.matrix import ROLES, SAMPLES, routes
from tests.people.test_hostile import LISTEN, _dialog, faults
from tests.people.texts import (
    LONG,
    MARK,
    WRITTEN,
    Door,
    Place,
    Site,
    Typist,
    beginnings,
    packs,
    shape,
    survey,
)

# Fields that keep no text, by the last word of where their form leads: why.
UNKEPT = {
    ("attach", "evidence"): "the number of a piece of evidence",
    ("new", "f_waybill"): "a waybill is letters and digits",
    ("photos", "photos"): "a photograph keeps no name of its own",
    ("backtest", "sweep"): "a draft with mistakes is not tried on the past",
    ("backtest", "file"): "a draft with mistakes is not tried on the past",
}
CLAIMS = """
INSERT INTO carrier_claim (shop_id, id, tracking_no, courier, kind, rule, most_fen, asked_fen, filed_by, filed_at, due_at, pay_days,
  changed_by, changed_at) OVERRIDING SYSTEM VALUE
SELECT 3, n, 'SF' || n, 'sf', 'lost', 'x', 2000, 1000, 'x', moment(), moment(), 1, 'x', moment() FROM generate_series(11, 18) n"""


def leads(place: Place) -> tuple[str, str]:
    """As `UNKEPT` names it."""
    return place.form.split(" ")[-2].rsplit("/", 1)[-1], place.name


@dataclass(slots=True)
class Run:
    """What was found and what was typed."""

    site: Site
    typist: Typist


def things() -> list[str]:
    """The addresses of the router with what is planted in 老吴杂货."""
    numbers = {name: str(NUMBER) for name, value in SAMPLES.items() if not isinstance(value, str)}
    person = str(get_user_model().objects.get(username="texts-agent").pk)
    values = {**numbers, "shop_code": "wu", "case_id": CASE, "tracking_no": WAYBILL, "user_id": person}
    return [one.address("own", values) for one in routes() if one.names and not one.path.startswith("api")]


@pytest.fixture(scope="module")
def clients(shops: Database) -> Callable[[str], Client]:
    ensure_user(OWNER, PASSWORD, {"wu": "owner", "tea": "owner"})
    for role in ROLES:
        ensure_user(f"texts-{role}", PASSWORD, {"tea": role, "wu": role})
    with psycopg.connect(shops.owner) as conn:
        plant(conn)
        conn.execute(CLAIMS)
        conn.execute("SELECT setval('work_order_remark_id_seq', 2000)")
    signed: dict[str, Client] = {}

    def of(who: str) -> Client:
        if who not in signed:
            signed[who] = Client(raise_request_exception=False, headers={"host": "127.0.0.1"})
            if who:
                answer = signed[who].post("/login", {"username": who, "password": PASSWORD})
                assert answer.status_code == 302, who
        return signed[who]

    return of


@pytest.fixture(scope="module")
def run(clients: Callable[[str], Client], shops: Database) -> Run:
    """Everybody walks, whoever met a form types into it, and then everybody reads."""
    found, typist = Site(), Typist(clients, shops.owner)
    survey(found, clients, OWNER, 2, [*beginnings(), *things()])
    for who in (*(f"texts-{role}" for role in ROLES), ""):
        survey(found, clients, who, 1, beginnings())
    done: set[str] = set()
    for _ in range(2):
        for key in sorted(found.doors.keys() - done, key=turn):
            done.add(key)
            typed(typist, key, found.doors[key], len(done))
        for who in dict.fromkeys(typist.led.values()):
            survey(found, clients, who, 1, [one for one, led in typist.led.items() if led == who], deep=False)
        typist.led.clear()
    asked(found, typist)
    return Run(found, typist)


def turn(key: str) -> tuple[int, bool, str]:
    """What is about one thing first; a step is taken before it is finished."""
    return -key.count("<"), " take " not in key, key


def typed(typist: Typist, key: str, doors: list[Door], turn: int) -> None:
    """One form: each field alone, then all of them with all texts."""
    door = doors[0]
    for kinds in (sorted(WRITTEN), ["hidden"]):
        fields = [(Place(key, one.name, one.kind), one) for one in door.fields(*kinds)]
        if door.form.method == "post" and kinds != ["hidden"]:
            for place, one in fields:
                typist.digits |= {place} if one.digits else set()
                typist.alone(place, doors, one, turn * 11)
        if fields:
            typist.all(fields, doors[-1], turn * 5)


def asked(found: Site, typist: Typist) -> None:
    """Everything that an address asks, with all texts in place of what it asks."""
    for n, (known, (who, address, name)) in enumerate(sorted(found.asked.items())):
        place, parts = Place(known, name), urlsplit(address)
        for pack in packs(4 * LONG, n * 11):
            query = {**dict(parse_qsl(parts.query)), name: typist.text(place, pack)}
            there = f"{parts.path}?{urlencode(query)}"
            answer = typist.clients(who).get(there)
            if answer.status_code >= 500:
                typist.broken.append(f"{who} {known}: {answer.status_code}")
            elif not answer.streaming and place.name in answer.content.decode():
                found.pages[there] = (who, answer.content.decode())


def test_every_text_field_meets_every_text(run: Run) -> None:
    """What comes is never an error of ours, and nobody is led elsewhere."""
    assert (run.site.broken, run.typist.broken) == ([], [])
    assert run.site.loose == set(), "a field outside of every form: who sends it?"
    lacking = {
        str(place): len(XSS) - len(met) for place, met in run.typist.met.items() if len(met) < len(XSS)
    }
    assert (lacking, len(run.typist.met) > 60) == ({}, True)


def test_every_text_field_keeps_its_text_or_says_why_not(run: Run) -> None:
    """Amounts, numbers and passwords keep none; what else keeps none is named above."""
    typed = [
        place
        for place in run.typist.met
        if place.kind in WRITTEN and place.form.startswith("post") and place not in run.typist.kept
    ]
    named = {place for place in typed if leads(place) in UNKEPT}
    mute = [str(place) for place in typed if place not in named and not run.typist.said.get(place)]
    lost = [
        f"{place}: {run.typist.said.get(place)}"
        for place in typed
        if place.kind != "password" and place not in run.typist.digits | named
    ]
    assert (mute, lost) == ([], [])
    assert {leads(place) for place in named} == UNKEPT.keys(), "what is kept after all needs no reason"


def shown(run: Run) -> Iterator[tuple[str, str]]:
    """Pages that show a text that was typed, as few as show every field in every kind of page."""
    seen: set[tuple[str, str, str]] = set()
    for address, (who, known) in run.site.pages.items():
        page = known
        if "?" not in address or not MARK.search(page):
            answer = run.typist.clients(who).get(address)
            if answer.status_code != 200 or answer.streaming:
                continue
            page = answer.content.decode()
        places = (run.typist.places[mark] for mark in MARK.findall(page) if mark in run.typist.places)
        new = {(shape(address.partition("?")[0]), one.form, one.name) for one in places} - seen
        if new:
            seen |= new
            yield who, address


def test_no_text_becomes_code_on_any_page_that_shows_it(run: Run) -> None:
    found: list[str] = []
    pages = list(shown(run))
    with site() as address, chromium() as browser:
        for who in dict.fromkeys(who for who, _ in pages):
            page = entered(browser, address, run.typist.clients(who), found)
            for one in (one for by, one in pages if by == who):
                found += [f"{one[:120]}: {fault}" for fault in faults(page, one)]
    assert (found, len(pages) > 15) == ([], True)


def entered(browser: Browser, address: str, client: Client, found: list[str]) -> Page:
    """A page of somebody who has signed in already."""
    context = browser.new_context(base_url=address, viewport={"width": 1280, "height": 800})
    context.add_cookies(
        [
            {"name": name, "value": one.value, "url": address}
            for name, one in client.cookies.items()
            if one.value
        ]
    )
    page = context.new_page()
    page.add_init_script(LISTEN)
    page.on("dialog", lambda dialog: _dialog(dialog, found))
    return page
