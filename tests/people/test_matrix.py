"""Who gets what behind which address: every address × every role × own, another's, deleted and unknown things."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import psycopg
import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from aftersale.people.accounts import ensure_user
from aftersale.rights import OPEN, RIGHTS, SIGNED_IN, of_others
from tests.conftest import Database
from tests.people.conftest import PASSWORD
from tests.people.foreign import plant
from tests.people.matrix import ROLES, SAMPLES, Route, routes
from tests.people.shops import case_id

GONE, UNKNOWN, FOREIGN = case_id(1, 9), "2699999999999999", case_id(3, 0)
CASES = {
    "own": case_id(1, 2), "crossed": FOREIGN, "deleted": GONE, "random": UNKNOWN, "other": FOREIGN, "nowhere": UNKNOWN,
}  # fmt: skip
VALUES = {"case_id": CASES}
KNOWN = {*SAMPLES, *VALUES}
NOBODY, ELSEWHERE, NOWHERE = "nobody", "elsewhere", "nowhere"
PERSONS = (*ROLES, ELSEWHERE, NOWHERE, NOBODY)
# What a denied request may leave behind: traces of the visit, no more.
TRACES = {"django_session", "usersessions_usersession"}
FORGET = ("cases", "queue_item", "handling", "look")
# Addresses that are empty as they stand.
EMPTY = {
    "api:api-root", "board-rows",
    "mfa_deactivate_totp", "mfa_view_recovery_codes", "mfa_download_recovery_codes",  # who has no second step
}  # fmt: skip
# Signed in or not, these take nothing but a proof of one's own.
OWN_PROOF = {"invitation"}


@dataclass(frozen=True, slots=True)
class Cell:
    """One request: by whom, to what."""

    route: Route
    method: str
    person: str
    place: str

    @property
    def right(self) -> str:
        if self.route.rights is None:
            return of_others()[self.route.name]
        return self.route.rights["read" if self.method == "get" else "write"]

    @property
    def expected(self) -> int | None:
        """What page_rights.yaml says: the status, or None where the view itself answers."""
        roles = RIGHTS[self.right]
        if roles <= OPEN:
            return None
        if self.person == NOBODY:
            return 302
        if SIGNED_IN in roles:
            return None
        if self.route.scoped:
            return self._in_shop(roles)
        role = "owner" if self.person == ELSEWHERE else self.person
        return None if role in roles else 403

    def _in_shop(self, roles: frozenset[str]) -> int | None:
        if self.person == ELSEWHERE and self.place == "other":
            return None if "owner" in roles else 403
        if self.person in (ELSEWHERE, NOWHERE) or self.place in ("other", "nowhere"):
            return 404
        return None if self.person in roles else 403

    def __str__(self) -> str:
        return f"{self.method} {self.route.path} {self.person} {self.place}"


def cells() -> Iterator[Cell]:
    for route in routes():
        for method in ("get", "post"):
            for person in PERSONS:
                for place in route.places:
                    yield Cell(route, method, person, place)


class Visitors:
    """A browser for each person, signed in for as long as it lasts."""

    def __init__(self) -> None:
        self.clients: dict[str, Client] = {}

    def let_in(self, name: str) -> Client:
        """Signed in, also after an answer that signed out."""
        client = self.clients.get(name)
        if client is None:
            self.clients[name] = client = Client(raise_request_exception=False, headers={"host": "127.0.0.1"})
        if name != NOBODY and "_auth_user_id" not in client.session:
            answer = client.post("/login", {"username": f"matrix-{name}", "password": PASSWORD})
            assert (answer.status_code, answer["Location"]) == (302, "/queue")
        return client

    def ask(self, cell: Cell) -> Any:
        return getattr(self.let_in(cell.person), cell.method)(cell.route.address(cell.place, VALUES))


@pytest.fixture(scope="module")
def visitors(shops: Database) -> Visitors:
    """One account for every role in 青山茶铺, an owner of another shop, and somebody of none; the deleted case is gone."""
    for role in ROLES:
        ensure_user(f"matrix-{role}", PASSWORD, {"tea": role})
    ensure_user("matrix-elsewhere", PASSWORD, {"wu": "owner"})
    ensure_user("matrix-nowhere", PASSWORD, {})
    with psycopg.connect(shops.owner) as conn:
        for table in FORGET:
            conn.execute(f"DELETE FROM {table} WHERE shop_id = 1 AND case_id = %s".encode(), (GONE,))
        conn.execute(
            "UPDATE membership SET access_ends_at = now() + interval '9 years' WHERE role = 'helper'"
        )
        plant(conn)
    assert get_user_model().objects.filter(username__startswith="matrix-").count() == len(PERSONS) - 1
    found = Visitors()
    for person in PERSONS:
        found.let_in(person)
    return found


def fingerprint(database: Database) -> dict[str, Any]:
    """Every table's content as one hash."""
    with psycopg.connect(database.owner) as conn:
        names = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        tables = sorted(row[0] for row in conn.execute(names) if row[0] not in TRACES)
        said = "SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM {} t"
        return {table: conn.execute(said.format(table).encode()).fetchone() for table in tables}


def test_every_view_says_whose_it_is_and_is_known_to_the_matrix() -> None:
    for route in routes():
        assert (route.rights is not None) != (route.name in of_others()), f"{route}: @needs is missing"
        assert set(route.names) <= KNOWN, f"{route}: say in SAMPLES what stands for it"


def test_no_cell_of_the_matrix_is_wrong_and_what_is_denied_does_nothing(
    visitors: Visitors, shops: Database
) -> None:
    denied = [cell for cell in cells() if cell.expected is not None]
    before = fingerprint(shops)
    wrong = [f"{cell}: {said}" for cell in denied if (said := _unlike(visitors, cell))]
    assert (wrong, len(denied) > 1000) == ([], True)
    assert fingerprint(shops) == before


def _unlike(visitors: Visitors, cell: Cell) -> str:
    """How the answer differs from the expected one; empty: it does not."""
    answer = visitors.ask(cell)
    if answer.status_code != cell.expected:
        return f"{answer.status_code} not {cell.expected}"
    if cell.expected == 302 and not answer["Location"].startswith("/login?"):
        return f"leads to {answer['Location']}"
    return ""


def test_what_is_allowed_is_answered_and_nothing_breaks(visitors: Visitors) -> None:
    fine = {200, 204, 302, 400, 401, 403, 404, 405, 409, 415, 422, 429}
    wrong = []
    for cell in cells():
        if cell.expected is None and (cell.place == "own" or cell.person in ("agent", "owner")):
            found = visitors.ask(cell).status_code
            page = (
                cell.method == "get"
                and not cell.route.names
                and "api" not in cell.right
                and cell.person in ("lead", "owner")
            )
            good = {200, 204, 302, 405} if page and cell.route.name not in EMPTY else fine
            if found not in good:
                wrong.append(f"{cell}: {found}")
    assert wrong == []


def test_what_is_anothers_looks_like_what_is_not(visitors: Visitors) -> None:
    """Byte for byte, apart from the ids that were asked for."""
    wrong = []
    for route in routes():
        for one, other in (("crossed", "random"), ("other", "nowhere")):
            if not {one, other} <= set(route.places) or route.name in OWN_PROOF:
                continue
            if one == "crossed" and set(route.names) == {"shop_code"}:
                continue  # my shop and nothing in it: no thing of another's is asked for
            for method in ("get", "post"):
                for person in ("agent", "owner"):
                    told = _plain(visitors, Cell(route, method, person, one))
                    if told != _plain(visitors, Cell(route, method, person, other)):
                        wrong.append(f"{method} {route.path} {person} {one}: {told[:2]}")
    assert wrong == []


def _plain(visitors: Visitors, cell: Cell) -> tuple[int, str, str]:
    """Status, target and body without what was asked for and what changes with every answer."""
    answer = visitors.ask(cell)
    body = "" if answer.streaming else answer.content.decode("utf-8", "replace")
    asked = [(VALUES.get(name) or SAMPLES[name]) for name in cell.route.names]
    ids = [value if isinstance(value, str) else value[cell.place] for value in asked]
    target = unquote(answer.get("Location", ""))
    for one in ids:
        body = re.sub(rf"(?<![\w]){re.escape(one)}(?![\w])", "…", body)
        target = re.sub(rf"(?<![\w]){re.escape(one)}(?![\w])", "…", target)
    return answer.status_code, target, re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', "", body)
