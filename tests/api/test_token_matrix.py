"""Who gets what behind the API: every operation of the router × every kind of token × own, another's, deleted, unknown."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from django.test import Client

from aftersale.api.tokens import make_token, revoke_token
from aftersale.people.accounts import ensure_user
from tests.conftest import Database
from tests.people.conftest import PASSWORD
from tests.people.matrix import ROLES, routes
from tests.people.shops import case_id
from tests.people.test_matrix import fingerprint

PLACES = ("own", "other", "deleted", "random")
SAID_TO_ALL = {"api:openapi-json", "api:api-root"}
# What a name in an operation stands for, by place; one value: no thing of a shop's.
NAMED: Mapping[str, Mapping[str, str] | str] = {
    "shop": {"own": "tea", "other": "wu", "deleted": "gone", "random": "nosuchshop"},
    "case_id": {"own": case_id(1, 2), "other": case_id(3, 0), "deleted": case_id(1, 2), "random": "26999"},
    "question": "auto_strategy:tpl_hold",
    "strict": "false",
    "trace": "true",
}
BODY = {
    "given": {
        "platform": "pdd",
        "aftersale_type": "unshipped_refund_only",
        "goods_state": "hold",
        "amount": 100,
    }
}
REFUSAL = {"version": 1, "reason_id": 1, "message": "x"}
BODY["given"]["strategy"] = {"template": "hold_auto_refund"}
DEAD = (
    "none",
    "empty",
    "guessed",
    "cut",
    "longer",
    "digest",
    "scheme",
    "twice",
    "revoked",
    "dismissed",
    "cookie",
    "over",
)
OUTSIDE = ("left", "ended", "elsewhere", "nowhere")
"""Their tokens live, but 青山茶铺 is not theirs, or no longer."""
READER = "reader"
"""An agent of 青山茶铺 whose token only reads."""
LIVE = (*(f"role-{role}" for role in ROLES), READER, *OUTSIDE)


@dataclass(frozen=True, slots=True)
class Cell:
    """One request."""

    method: str
    path: str
    names: tuple[str, ...]
    holder: str
    place: str

    @property
    def expected(self) -> int:
        if self.holder in DEAD:
            return 401
        if "shop" not in self.names:
            return 200
        acts = self.method == "post" and self.path.endswith("/refuse")
        if acts and self.holder == READER:
            return 403
        inside = self.holder.startswith("role-") or self.holder == READER
        theirs = "other" if self.holder == "elsewhere" else "own" if inside else ""
        if self.place != theirs:
            return 404
        return 409 if acts else 200

    def value(self, name: str) -> str:
        found = NAMED[name]
        return found if isinstance(found, str) else found[self.place]

    def address(self) -> str:
        path, query = self.path, []
        for name in self.names:
            if f"{{{name}}}" in path:
                path = path.replace(f"{{{name}}}", self.value(name))
            else:
                query.append(f"{name}={self.value(name)}")
        return f"{path}?{'&'.join(query)}" if query else path


def operations() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Method, path and the names of what can be asked with, as the API describes itself."""
    schema = json.loads(Client(headers={"host": "127.0.0.1"}).get("/api/openapi.json").content)
    for path, methods in schema["paths"].items():
        for method, told in methods.items():
            yield method, path, tuple(one["name"] for one in told.get("parameters", ()))


def cells() -> Iterator[Cell]:
    for method, path, names in operations():
        places = PLACES if any(not isinstance(NAMED[name], str) for name in names) else ("own",)
        for holder in (*DEAD, *LIVE):
            for place in places:
                yield Cell(method, path, names, holder, place)


def _made(person: str) -> str:
    token = make_token(person, "matrix", acts=person != READER)
    assert isinstance(token, str)
    return token


@pytest.fixture(scope="module")
def ask(shops: Database) -> Callable[[Cell], Any]:
    """Everybody's token and what they say with it; the shop `gone` was there and has been removed."""
    for role in ROLES:
        ensure_user(f"role-{role}", PASSWORD, {"tea": role})
    ensure_user("elsewhere", PASSWORD, {"wu": "owner"})
    ensure_user("nowhere", PASSWORD, {})
    for person in (READER, "left", "ended", "dismissed", "revoked", "over"):
        ensure_user(person, PASSWORD, {"tea": "agent"})
    tokens = {person: _made(person) for person in (*LIVE, "dismissed", "revoked", "over")}
    assert revoke_token("revoked", "matrix") is True
    with psycopg.connect(shops.owner) as conn:
        of = "user_id = (SELECT id FROM auth_user WHERE username = %s)"
        conn.execute(f"DELETE FROM membership WHERE {of}".encode(), ("left",))
        ended = f"UPDATE membership SET access_ends_at = moment() - interval '1 second' WHERE {of}"
        conn.execute(ended.encode(), ("ended",))
        conn.execute(
            "UPDATE membership SET access_ends_at = now() + interval '9 years' WHERE role = 'helper'"
        )
        conn.execute("UPDATE auth_user SET is_active = false WHERE username = 'dismissed'")
        over = f"UPDATE api_token SET made_at = made_at - interval '91 days', ends_at = now() WHERE {of}"
        conn.execute(over.encode(), ("over",))
        conn.execute("INSERT INTO shop (code, name, platform) VALUES ('gone', '关了的店', 'pdd')")
        conn.execute("DELETE FROM shop WHERE code = 'gone'")
    live = tokens["role-owner"]
    cookie = Client(headers={"host": "127.0.0.1"})
    assert cookie.post("/login", {"username": "role-owner", "password": PASSWORD}).status_code == 302
    said = {name: f"Bearer {token}" for name, token in tokens.items()} | {
        "empty": "Bearer ", "guessed": "Bearer aftersale_guess", "cut": f"Bearer {live[:-1]}",
        "longer": f"Bearer {live}x", "digest": "Bearer " + _digest(shops), "scheme": f"Basic {live}",
        "twice": f"Bearer {live}, Bearer {live}",
    }  # fmt: skip

    def one(cell: Cell) -> Any:
        client = cookie if cell.holder == "cookie" else Client(headers={"host": "127.0.0.1"})
        headers = {"Authorization": said[cell.holder]} if cell.holder in said else {}
        if cell.method == "get":
            return client.get(cell.address(), headers=headers)
        body = json.dumps(BODY | REFUSAL)
        return client.generic(cell.method.upper(), cell.address(), body, "application/json", headers=headers)

    return one


def _digest(shops: Database) -> str:
    """What a thief of the table has."""
    with psycopg.connect(shops.owner) as conn:
        row = conn.execute("SELECT encode(digest, 'hex') FROM api_token WHERE revoked_at IS NULL").fetchone()
        assert row is not None
        return str(row[0])


def test_the_description_leaves_out_no_address_and_the_matrix_knows_every_name() -> None:
    described = {path.lstrip("/") for _, path, _ in operations()}
    for route in routes():
        if route.rights and route.rights["read"] == "api" and route.name not in SAID_TO_ALL:
            assert re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.path) in described, route.path
    for _, path, names in operations():
        assert set(names) <= set(NAMED), f"{path}: say in NAMED what stands for it"


def test_no_cell_is_wrong_and_nothing_but_the_visit_is_left_behind(
    ask: Callable[[Cell], Any], shops: Database
) -> None:
    every = list(cells())
    before = fingerprint(shops)
    wrong = [f"{cell}: {got}" for cell in every if (got := ask(cell).status_code) != cell.expected]
    assert (wrong, len(every) >= 100) == ([], True)
    after = fingerprint(shops)
    assert {name for name in after if after[name] != before[name]} <= {"api_token"}  # when it was last used


def test_every_dead_token_hears_the_same_and_anothers_shop_is_one_that_never_was(
    ask: Callable[[Cell], Any],
) -> None:
    dead, strangers = set(), set()
    for cell in cells():
        answer = ask(cell)
        if cell.expected == 401 and cell.holder != "over":  # whoever holds it may know that it has ended
            dead.add(answer.content)
        if cell.expected == 404:
            strangers.add((cell.path, answer.content.decode().replace(cell.value("shop"), "…")))
    assert (len(dead), len(strangers)) == (1, len({path for path, _ in strangers}))


def test_only_a_token_in_its_header_opens(shops: Database, ask: Callable[[Cell], Any]) -> None:
    """Not in the address, a form or a cookie, where it would stand in logs."""
    token = make_token("role-lead", "elsewhere said")
    assert isinstance(token, str)
    for name in ("token", "access_token", "api_key", "authorization"):
        client = Client(headers={"host": "127.0.0.1"})
        client.cookies[name] = token
        assert client.get(f"/api/ask?{name}={token}").status_code == 401
