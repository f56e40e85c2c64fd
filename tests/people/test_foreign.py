"""What is another's is found by nobody: one of every kind of thing, tried with every act and every field that names it."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import psycopg
import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from psycopg import sql

from aftersale.people.accounts import ensure_user
from tests.conftest import Database
from tests.people.conftest import PASSWORD
from tests.people.foreign import CASE, NUMBER, OWNER, WAYBILL, plant
from tests.people.matrix import routes
from tests.people.shops import case_id
from tests.people.test_wall import WALLED

MINE, NOTHING = case_id(1, 2), ("2699999999999999", 99, "SF1000000000", 9999)
# Only its own trigger writes it.
BARE = {"money_window"}
# kind | method | address | form. S: shop, C: case, N: number, W: waybill, U: person. An act
# that names another's thing in its form is tried beside one that names what does not exist.
ATTEMPTS = """
case           get  case/S/C
case           get  case/S/C/live
case           post case/S/C/do/note                    text=x
case           post case/S/C/do/give                    owner=客服小明
case           post case/S/C/do/agree_refund            amount_fen=1&version=1
case           get  queue/dock/S/C
case           post queue/do/S/C/note                   text=x
case           post case/S/C/unmask/buyer               why=x
case           post case/S/C/unmask/words               why=x
case           post bulk                                act=note&text=x&pick=S:C
refusing       get  case/S/C/refuse
refusing       post case/S/C/refuse                     version=1&reason=1&message=xx&evidence=N
refusing       get  api/cases/S/C/refuse
refusing       post api/cases/S/C/refuse
promise        post case/S/C/guide/promise-settle       id=N&state=kept
handover       post case/S/C/guide/seen                 id=N
contact        post case/S/C/guide/contact              channel=im&purpose=x
override       post case/S/C/guide/contact-allow        id=N
said           post case/S/C/guide/say                  text=x
step           post case/S/C/guide/step                 step=x&outcome=undone
hand-over      post case/S/C/guide/hand-over            to=person:客服小明&found=x&promised=x&next_step=x&due=x
evidence       get  case/S/C/evidence/N
evidence       get  case/S/C/evidence
evidence       post case/S/C/evidence/N/remove
evidence       post case/S/C/evidence/N/restore
evidence       post case/S/C/evidence/pdf               piece=N
approval       post approvals/S/N/yes                   amount_fen=1&version=1
approval       post approvals/S/N/no                    amount_fen=1&version=1&why=x
by hand        post approvals/S/C/agree_refund/again
by hand        post approvals/S/C/agree_refund/cancel
difference     post money/difference/S/C                note=x
work order     get  work-orders/S/N
work order     post work-orders/S/N/do/take             step=x&version=1
work order     post work-orders/S/N/do/finish           step=x&version=1&note=x
work order     post work-orders/S/N/do/say              text=x
work order     post work-orders/S/N/do/cancel           version=1&note=x
work order     post work-orders/S/N/do/attach           evidence=N
parcel back    post work-orders/parcels/S/W/followed    version=1&note=x
parcel back    post work-orders/parcels/S/W/lost        version=1&note=x
claim          post work-orders/claims/S/N/accepted     version=1&amount=0.01
claim          post work-orders/claims/S/N/withdrawn    version=1&note=x
claim          get  work-orders/claims/S/new            waybill=W&kind=lost
claim          post work-orders/claims/S/new            waybill=W&kind=lost&asked=0.01
scan           get  returns/S/N
scan           post returns/S/N/undo                    why=x
scan           post returns/S/N/link                    case=S:C
scan           post returns/S/N/photos
photo          get  returns/S/N/photo/0000000000000000000000000000000000000000000000000000000000000000
job            get  jobs/N
job            get  jobs/N/live
job            post jobs/N/stop
job file       get  jobs/N/file/N
backtest       get  rules/S/backtest/N
upload         get  files/S/N
upload         post files/S/N/look
upload         post files/S/N/judge
upload         post files/S/N/import
bulk           get  bulk/N
bulk           post bulk/N/go                           cases=1&fen=1
bulk           post bulk/N/undo
view           post views/N/drop
view           post views                               title=x&address=%3Ftab%3Dall&share=S
release        get  rules/S/diff/N
release        post rules/S/back/N
edit           post rules/S/do/answer                   sha256=x&yes=1&why=x
edit           post rules/S/do/publish                  sha256=x&why=x
edit           post rules/S/do/stop
invitation     post settings/people/S/withdraw/N
more rights    post settings/people/S/U/end-more        number=N
more rights    post settings/people/S/U/leave
person         get  settings/people/S/U
"""


@dataclass(frozen=True, slots=True)
class Attempt:
    kind: str
    method: str
    address: str
    form: str

    def with_(
        self, shop: str, case: str, number: int, waybill: str, person: int
    ) -> tuple[str, dict[str, str]]:
        """The address and what is posted to it."""
        values = {"S": shop, "C": case, "N": str(number), "W": waybill, "U": str(person)}
        address, form = (
            re.sub(r"\b[SCNUW]\b", lambda found: values[found[0]], one) for one in (self.address, self.form)
        )
        return f"/{address}", dict(parse_qsl(form))


def attempts() -> Iterator[Attempt]:
    for line in ATTEMPTS.strip().splitlines():
        kind, rest = re.split(r"\s{2,}", line, maxsplit=1)
        method, address, *form = rest.split()
        yield Attempt(kind.strip(), method, address, form[0] if form else "")


@pytest.fixture(scope="module")
def planted(shops: Database) -> Database:
    ensure_user(OWNER, PASSWORD, {"wu": "owner"})
    ensure_user("店主青山", PASSWORD, {"tea": "owner", "snack": "owner"})
    with psycopg.connect(shops.owner) as conn:
        plant(conn)
    return shops


@pytest.fixture(scope="module")
def people(planted: Database) -> Callable[[str], Client]:
    signed: dict[str, Client] = {}

    def of(name: str) -> Client:
        if name not in signed:
            signed[name] = Client(raise_request_exception=False, headers={"host": "127.0.0.1"})
            assert signed[name].post("/login", {"username": name, "password": PASSWORD}).status_code == 302
        return signed[name]

    return of


def told(client: Client, attempt: Attempt, *named: Any) -> tuple[int, str]:
    """The last answer, without what was asked for and what changes with every answer."""
    address, form = attempt.with_(*named)
    answer: Any = getattr(client, attempt.method)(address, form, follow=True)
    body = "" if answer.streaming else answer.content.decode("utf-8", "replace")
    for one in map(str, (*named, NUMBER, NOTHING[1])):
        before = "" if len(one) > 4 else "/"  # a short number stands in a page for other things, too
        body = re.sub(rf"{before}\b{re.escape(one)}\b", "…", body)
    changing = (
        r'name="csrfmiddlewaretoken" value="[^"]*"|/bulk/\d+|name="key" value="[^"]*"|data-seen="[^"]*"'
    )
    return answer.status_code, re.sub(changing, "", body)


def of_others(database: Database) -> dict[str, Any]:
    """Every row of 老吴杂货 and every private thing of its owner."""
    with psycopg.connect(database.owner) as conn:
        found = {}
        for (name,) in conn.execute(WALLED.encode()).fetchall():
            query = "SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM {} t WHERE shop_id = 3"
            found[name] = conn.execute(sql.SQL(query).format(sql.Identifier(name))).fetchone()
        for name in ("job", "bulk", "saved_view", "upload"):
            query = "SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM {} t WHERE by_whom = %s"
            found[f"{name} of"] = conn.execute(
                sql.SQL(query).format(sql.Identifier(name)), (OWNER,)
            ).fetchone()
        return found


def test_there_is_something_of_anothers_in_every_table_of_a_shop(planted: Database) -> None:
    with psycopg.connect(planted.owner) as conn:
        empty = {
            name
            for (name,) in conn.execute(WALLED.encode()).fetchall()
            if not conn.execute(
                sql.SQL("SELECT FROM {} WHERE shop_id = 3").format(sql.Identifier(name))
            ).fetchall()
        }
    assert empty <= BARE, "plant one in foreign.THINGS"


def test_every_address_that_names_a_thing_is_tried() -> None:
    tried = [one.with_("tea", *NOTHING)[0][1:] for one in attempts()]
    things = {"case_id", "approval_id", "bulk_id", "claim_id", "evidence_id", "job_id", "number", "order_id", "release_id",
              "scan_id", "upload", "view_id", "file", "tracking_no"}  # fmt: skip
    missing = []
    for route in routes():
        pattern = re.sub(r"<(\w+:)?\w+>", "[^/]+", route.path)
        if things & set(route.names) and not any(re.fullmatch(pattern, one) for one in tried):
            missing.append(route.path)
    assert missing == [], "add a line to ATTEMPTS"


def test_anothers_thing_is_one_that_does_not_exist(
    people: Callable[[str], Client], planted: Database
) -> None:
    """In my shop under its number, in its own shop, and on a case of mine; for an agent and for an owner."""
    before, wrong = of_others(planted), []
    thing = (NUMBER, WAYBILL, get_user_model().objects.get(username=OWNER).pk)
    for name in ("客服小明", "店主青山"):
        client = people(name)
        for one in attempts():
            pairs = [
                (("tea", CASE, *thing), ("tea", *NOTHING)),
                (("wu", CASE, *thing), ("nosuchshop", *NOTHING)),
            ]
            if {"C", "N"} <= set(re.findall(r"\b[A-Z]\b", one.address + " " + one.form)):
                pairs.append((("tea", MINE, *thing), ("tea", MINE, *NOTHING[1:])))
            for there, nowhere in pairs:
                got, same = told(client, one, *there), told(client, one, *nowhere)
                if got != same:
                    wrong.append(f"{name} {one} {there}: {got[0]} {same[0]}")
    assert "\n".join(wrong) == ""
    assert of_others(planted) == before


def test_its_owner_finds_every_one_of_them(people: Callable[[str], Client], planted: Database) -> None:
    """Else the answers above would say nothing."""
    client, person = people(OWNER), get_user_model().objects.get(username=OWNER).pk
    lost = [
        str(one) for one in attempts() if told(client, one, "wu", CASE, NUMBER, WAYBILL, person)[0] == 404
    ]
    assert "\n".join(lost) == ""
