"""Every text of the record and every field of a form tries to become code; the pages are read in a browser."""

from collections.abc import Callable, Iterator

import psycopg
import pytest
from django.test import Client
from playwright.sync_api import Dialog, Page

from aftersale.people.accounts import ensure_user
from tests.conftest import Database
from tests.people.browser import chromium, enter, site
from tests.people.conftest import PASSWORD
from tests.people.crawl import Form, forms
from tests.people.hostile import MARK, MONEY, XSS
from tests.people.matrix import routes
from tests.people.shops import case_id

SignIn = Callable[[str], Client]
CASE, OWNER = case_id(1, 2), "店主青山"
# Every list of texts goes into every text of the record that somebody outside can choose.
RECORD = """
UPDATE shop SET name = left(%(short)s, 60) WHERE id = 2;
UPDATE cases SET title = %(text)s, reason_text = %(text)s, buyer_ref = %(short)s, return_courier = %(short)s,
  reason = CASE WHEN case_id LIKE '%%377' THEN %(short)s ELSE reason END WHERE shop_id IN (1, 2);
UPDATE orders SET region = %(short)s, courier = %(short)s, promo = %(short)s, buyer_ref = %(short)s WHERE shop_id IN (1, 2);
UPDATE order_line SET title = %(text)s, sku = %(text)s WHERE shop_id IN (1, 2);
UPDATE queue_item SET owner = CASE WHEN case_id LIKE '%%577' THEN %(short)s ELSE owner END WHERE shop_id IN (1, 2);
INSERT INTO tracking_event (shop_id, tracking_no, at, text)
SELECT o.shop_id, o.tracking_no, moment(), %(text)s FROM orders o WHERE o.tracking_no IS NOT NULL ON CONFLICT DO NOTHING;
INSERT INTO happening (shop_id, case_id, at, kind, actor, what)
SELECT c.shop_id, c.case_id, moment(), k, 'buyer', %(text)s FROM cases c, unnest(ARRAY['message', 'note', 'person']) k;
INSERT INTO audit (at, who, shop_id, what, target, why) VALUES (moment(), left(%(short)s, 60), 1, 'unmask', left(%(text)s, 200),
  left(%(text)s, 500));
INSERT INTO switch_log (shop_id, action, stopped, why, by_whom, at) VALUES (1, '', true, %(text)s, left(%(short)s, 60), moment())
"""
LISTEN = f"""
window.reports = [];
document.addEventListener("securitypolicyviolation", event => window.reports.push(event.violatedDirective + " " + event.blockedURI
  + " " + event.sample));
window.{MARK}Free = true;
"""
FOREIGN = """() => [...document.querySelectorAll("script, iframe, object, embed, base, meta[http-equiv]")]
  .filter(one => !(one.tagName === "SCRIPT" && one.getAttribute("src")?.startsWith("/static/")
    || one.tagName === "SCRIPT" && one.type === "application/json")).map(one => one.outerHTML.slice(0, 200))"""
HANDLERS = """() => [...document.querySelectorAll("*")].flatMap(one => [...one.attributes].filter(
  each => /^(on|hx-on|data-hx-on)/i.test(each.name) || /^\\s*javascript:/i.test(each.value) && /href|src|action/.test(each.name))
  .map(each => one.tagName + " " + each.name))"""


@pytest.fixture(scope="module")
def hostile(shops: Database) -> Database:
    """The texts in 32 parts of the list, newest first on each timeline."""
    ensure_user(OWNER, PASSWORD, {"tea": "owner", "snack": "owner"})
    with psycopg.connect(shops.owner) as conn:
        for start in range(0, len(XSS), 64):
            part = XSS[start : start + 64]
            conn.execute(
                psycopg.ClientCursor(conn)
                .mogrify(RECORD, {"text": " ".join(part), "short": part[0]})
                .encode()
            )
    return shops


@pytest.fixture(scope="module")
def owner(hostile: Database) -> Client:
    client = Client(raise_request_exception=False, headers={"host": "127.0.0.1"})
    assert client.post("/login", {"username": OWNER, "password": PASSWORD}).status_code == 302
    return client


def addresses() -> list[str]:
    """Every page that a person can open without knowing a number, and one case with all that belongs to it."""
    values = {"shop_code": "tea", "case_id": CASE, "what": "words"}
    found = [route.address("own", values) for route in routes() if set(route.names) <= set(values)]
    return [
        one for one in dict.fromkeys(found) if not one.startswith(("/api", "/logout", "/login", "/language"))
    ]


def pages(client: Client) -> Iterator[tuple[str, str]]:
    """Those of them that are pages for this person."""
    for address in addresses():
        answer = client.get(address)
        assert answer.status_code < 500, address
        if answer.status_code == 200 and not answer.streaming and "text/html" in answer["Content-Type"]:
            yield address, answer.content.decode()


def posted(client: Client, form: Form, **values: str) -> int:
    answer = client.post(form.action, {**form.values, **values})
    return int(answer.status_code)


def fields(client: Client) -> Iterator[tuple[str, Form]]:
    seen = set()
    for address, page in list(pages(client)):
        for form in forms(page, address):
            known = (form.action, tuple(form.values), form.values.get("kind"), form.values.get("action"))
            if (
                form.method == "post"
                and known not in seen
                and not form.action.startswith(("/logout", "/language", "/account"))
            ):
                seen.add(known)
                yield address, form


def test_no_length_and_no_sign_breaks_a_field(owner: Client) -> None:
    """What the strings of test_texts.py are not: too long, or of signs that the database cannot hold."""
    broken, filled = [], 0
    for address, form in fields(owner):
        for name in form.texts:
            filled += 1
            for value in (XSS[filled % len(XSS)] * 50, "\0", "\ud7ff\u202e"):
                if (status := posted(owner, form, **{name: value})) >= 500:
                    broken.append(f"{address} {form.action} {name}: {status}")
    assert (broken, filled > 5) == ([], True)


def test_no_money_field_takes_what_is_no_amount(owner: Client, hostile: Database) -> None:
    """Nothing is planned, asked for, paid or set; and no answer is an error of ours."""
    seen = "SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM {} t"
    tables = (
        "(SELECT * FROM intent WHERE money)",
        "approval",
        "ledger",
        "money_window",
        "setting_log",
        "membership",
        "temporary_right",
    )

    def state() -> list[object]:
        with psycopg.connect(hostile.owner) as conn:
            return [conn.execute(seen.format(table).encode()).fetchone() for table in tables]

    before, broken, fields_seen = state(), [], 0
    for address, form in list(fields(owner)):
        for name in form.money:
            fields_seen += 1
            for value in MONEY:
                if (status := posted(owner, form, **{name: value})) >= 500:
                    broken.append(f"{address} {form.action} {name}={value[:30]!r}: {status}")
    assert (broken, fields_seen > 1) == ([], True)
    assert state() == before


def test_no_text_becomes_code_on_any_page(owner: Client, hostile: Database) -> None:
    found: list[str] = []
    read = [
        *(path for path, _ in pages(owner)),
        "/queue?shop=tea",
        "/queue?shop=snack",
        f"/case/tea/{case_id(1, 5)}",
    ]
    with site() as address, chromium() as browser:
        page = browser.new_context(base_url=address, viewport={"width": 1280, "height": 800}).new_page()
        page.add_init_script(LISTEN)
        page.on("dialog", lambda dialog: _dialog(dialog, found))
        page.on(
            "console",
            lambda said: found.append(f"{page.url} {said.text}") if "Content Security" in said.text else None,
        )
        enter(page, address, OWNER, PASSWORD)
        for one in read:
            found += [f"{one}: {fault}" for fault in faults(page, one)]
    assert (found, len(read) > 5) == ([], True)


def _dialog(dialog: Dialog, found: list[str]) -> None:
    found.append(f"dialog {dialog.message}")
    dialog.dismiss()


def faults(page: Page, path: str) -> list[str]:
    """What ran, what the policy had to stop, and what stands in the page as code."""
    page.goto(path)
    page.wait_for_load_state("load")
    ran = page.evaluate(f"() => window.{MARK}Free !== true || window.{MARK} !== undefined")
    reports: list[str] = page.evaluate("() => window.reports")
    return [*(["a script ran"] if ran else []), *reports, *page.evaluate(FOREIGN), *page.evaluate(HANDLERS)]
