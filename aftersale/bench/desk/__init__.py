"""The pages of the desk over millions of cases: server time of each, alone and with twenty people at once."""

import os
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote, urlsplit

from aftersale.bench.desk.fill import SHOPS, SQL, fill, join
from aftersale.bench.figures import Figure
from aftersale.bench.online import percentile
from aftersale.bench.place import Place
from aftersale.bench.webhook import web
from aftersale.pg.connect import opened
from aftersale.rulebooks import books

Tell = Callable[[str], None]
AT = datetime(2026, 11, 11, 4, 0, tzinfo=UTC)
PEOPLE, THINKS_S, WARM = 20, 2.5, 10
HOST = "127.0.0.1"


def desk(place: Place, cases: int, requests: int, tell: Tell, again: bool = False) -> Iterator[Figure]:
    """Figures of queue, case and search pages over `cases` cases; `again`: those that are there."""
    if not again:
        fill(place, cases, AT, tell)
    os.environ.update(place.environment())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aftersale.config.settings")
    os.environ.setdefault("AFTERSALE_SECRET_KEY", "only-for-the-bench")
    client = _signed_in(place)
    yield Figure("desk.preview", (_preview_ms(client),))
    with web(place) as url:
        cookie = f"sessionid={client.cookies['sessionid'].value}"
        for name, made in _asked(cases).items():
            times = _alone(_Browser(url, cookie), made, requests)
            p50, p95 = percentile(times, 50), percentile(times, 95)
            tell(f"desk, {name}: p50 {p50:.0f} ms, p95 {p95:.0f} ms, longest {max(times):.0f} ms")
            yield Figure(f"desk.{name}_p50", (p50,))
            yield Figure(f"desk.{name}_p95", (p95,))
        times, rate = _together(url, cookie, _asked(cases), requests)
    p50, p95 = percentile(times, 50), percentile(times, 95)
    tell(f"desk, {PEOPLE} people, {rate:.1f} pages/s: p50 {p50:.0f} ms, p95 {p95:.0f} ms")
    yield Figure("desk.people_p95", (p95,))
    yield Figure("desk.counters_wrong", (float(_wrong_counters(place)),))


class _Browser:
    """One person's connection to the pages."""

    def __init__(self, url: str, cookie: str) -> None:
        self._wire = HTTPConnection(urlsplit(url).netloc, timeout=60)
        self._headers = {"Cookie": cookie}

    def open(self, address: str) -> float:
        """How long the page took, in milliseconds, with its way over the wire of this machine."""
        began = time.perf_counter()
        self._wire.request("GET", quote(address, safe="/?=&%"), headers=self._headers)
        answer = self._wire.getresponse()
        answer.read()
        took = (time.perf_counter() - began) * 1000
        assert answer.status in (200, 302), f"{address}: {answer.status}"
        assert not str(answer.headers.get("Location", "")).startswith("/login"), "signed out"
        return took


def _alone(browser: _Browser, made: Callable[[random.Random], str], requests: int) -> list[float]:
    """One page after the other; the first few are not counted."""
    draw = random.Random(11)
    return [browser.open(made(draw)) for _ in range(requests + WARM)][WARM:]


def _signed_in(place: Place) -> Any:
    """A browser of one who leads all shops."""
    import django

    django.setup()
    from django.contrib.auth import get_user_model
    from django.test import Client

    user, _new = get_user_model().objects.get_or_create(username="bench0")
    with opened(place.server.url("owner", "bench"), autocommit=True) as conn:
        join(conn, int(user.pk))
        conn.execute(
            "INSERT INTO clock (real_at, virtual_at, speed) VALUES (now(), %s, 0) ON CONFLICT DO NOTHING",
            (AT,),
        )
    client = Client(headers={"host": HOST})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def _preview_ms(client: Any) -> float:
    """Choosing all cases of a shop for a refund, for each 5,000 of them."""
    from aftersale.people.bulk.acts import MOST

    began = time.perf_counter()
    answer = client.post("/bulk", {"act": "agree_refund", "all": "1", "address": "?shop=bench1"})
    page = client.get(answer["Location"]).content.decode()
    took = (time.perf_counter() - began) * 1000
    chosen = int(page.partition('bulk-figure"><b>')[2].partition("<")[0])
    assert 0 < chosen <= MOST, chosen
    return took * 5000 / chosen


def _asked(cases: int) -> Mapping[str, Callable[[random.Random], str]]:
    """What people ask for: any filter with any sort on an early page, a case, a search."""

    def case(draw: random.Random) -> int:
        return draw.randrange(10, cases, 10)

    def one(draw: random.Random) -> str:
        number = case(draw)
        return f"/case/bench{1 + number // 10 % SHOPS}/6{number:0>11}"

    def search(draw: random.Random) -> str:
        number = case(draw)
        words = (
            "龙井 礼盒",
            "蛋黄酥",
            f"商品 {number % 400}",
            f"4{number:0>11}",
            f"SF{number:0>12}",
            f"{number % 10_000:04d}",
        )
        return f"/search?q={draw.choice(words)}"

    return {"queue": _queue, "case": one, "search": search}


def _queue(draw: random.Random) -> str:
    titles = books.titles()
    filters = {
        "reason": list(titles["reason"])[:25],
        "action": [code for code, action in books.actions().items() if action.offers][:6],
        "state": ["applied", "return_agreed", "return_shipped"],
        "amount": ["-20", "20-50", "50-200", "200-1000"],
        "left": ["0", "2", "12", "24"],
        "owner": ["bench0", "-"],
        "shop": [f"bench{n}" for n in range(1, SHOPS + 1)],
        "tab": ["all", "unshipped", "return_refund"],
    }
    chosen = {name: draw.choice(filters[name]) for name in draw.sample(sorted(filters), draw.randrange(3))}
    chosen["sort"] = draw.choice(["due", "due", "amount", "oldest", "newest"])
    chosen["page"] = str(draw.choice([1, 1, 1, 1, 2, 3, 5]))
    return "/queue?" + "&".join(f"{name}={value}" for name, value in chosen.items())


def _wrong_counters(place: Place) -> int:
    """Places whose counter differs from what is there."""
    with place.connect() as conn:
        row = conn.execute(SQL["wrong"]).fetchone()
    assert row is not None
    return int(row[0])


def _together(
    url: str, cookie: str, asked: Mapping[str, Callable[[random.Random], str]], requests: int
) -> tuple[list[float], float]:
    """Each of PEOPLE opens the next page a while after the last one came; and how many pages a second that was."""
    times: list[float] = []

    def work(number: int) -> None:
        browser, draw = _Browser(url, cookie), random.Random(number)
        for _ in range(max(requests // 10, 3)):
            time.sleep(draw.uniform(0.5, 1.5) * THINKS_S)
            times.append(browser.open(draw.choice(list(asked.values()))(draw)))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(PEOPLE)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times, len(times) / (time.monotonic() - began)
