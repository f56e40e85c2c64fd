"""Several processes of the pages on one port: each answers, one is replaced when it dies, none outlives the first."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from aftersale.cli import children
from tests.conftest import Database
from tests.people.conftest import PASSWORD
from tests.people.test_accounts import code
from tests.people.test_browser_story import process
from tests.people.test_lost_step import with_step

PATIENCE_S = 60.0
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere one process is the default")
Web = tuple[subprocess.Popen[str], str]


@pytest.fixture
def web(shops: Database, tmp_path: Path) -> Iterator[Web]:
    """Two processes that serve."""
    asked = ["web", "--port", "0", "--json", "--processes", "2"]
    with process(asked, shops, tmp_path / "web.log") as running:
        url = children.address(running, tmp_path / "web.log")
        until(lambda: len(serving(running.pid)) == 2)
        for pid in serving(running.pid):
            with only(running.pid, pid):
                assert answers(url, 1) == [200]
        yield running, url


def serving(first: int) -> set[int]:
    """The processes that the first one has started for the pages."""
    told = Path(f"/proc/{first}/task/{first}/children").read_text().split()
    return {int(pid) for pid in told if lives(int(pid)) and b"spawn_main" in command_of(int(pid))}


def command_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return b""


def lives(pid: int) -> bool:
    """Neither gone nor dead and not yet taken note of."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.02)


@contextmanager
def only(first: int, one: int) -> Iterator[None]:
    """Of the processes that serve, this one alone goes on; the others are held still."""
    others = serving(first) - {one}
    for pid in others:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in others:
            os.kill(pid, signal.SIGCONT)


def answers(url: str, times: int) -> list[int]:
    """Each over a connection of its own."""
    return [httpx2.get(f"{url}/login", trust_env=False, timeout=PATIENCE_S).status_code for _ in range(times)]


def test_each_answers_alone(web: Web) -> None:
    running, url = web
    first, second = serving(running.pid)
    for pid in (first, second, first):
        with only(running.pid, pid):
            assert answers(url, 3) == [200] * 3


def test_a_one_time_code_that_one_of_them_took_is_taken_for_the_other(web: Web) -> None:
    running, url = web
    _number, secret = with_step("客服小芳", {"tea": "agent"})
    given = code(secret)
    told = []
    for pid in sorted(serving(running.pid)):
        with only(running.pid, pid):
            told.append(enters(url, "客服小芳", given))
    assert told == ["/queue", None]


def enters(url: str, name: str, given: str) -> str | None:
    """Where a person with password and one-time code is led to; None: the code was refused."""
    with httpx2.Client(base_url=url, trust_env=False, timeout=PATIENCE_S, headers={"Origin": url}) as browser:
        password = browser.post(
            "/login", data={"username": name, "password": PASSWORD, **token(browser, "/login")}
        )
        assert (password.status_code, password.headers["Location"]) == (302, "/login/second-step")
        step = "/login/second-step"
        answer = browser.post(step, data={"code": given, **token(browser, step)})
        return answer.headers["Location"] if answer.status_code == 302 else None


def token(browser: httpx2.Client, address: str) -> dict[str, str]:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', browser.get(address).text)
    assert found is not None
    return {"csrfmiddlewaretoken": found[1]}


def test_one_that_is_killed_is_replaced_and_nobody_is_turned_away(web: Web) -> None:
    running, url = web
    killed, other = sorted(serving(running.pid))
    os.kill(killed, signal.SIGKILL)
    until(lambda: not lives(killed))
    assert answers(url, 12) == [200] * 12
    until(lambda: len(serving(running.pid)) == 2)
    assert other in serving(running.pid)
    assert killed not in serving(running.pid)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
def test_when_the_first_ends_all_have_ended(web: Web, number: signal.Signals) -> None:
    running, url = web
    started = serving(running.pid)
    running.send_signal(number)
    running.wait(PATIENCE_S)
    until(lambda: not any(lives(pid) for pid in started))
    until(lambda: refused(url))


def test_while_the_last_request_takes_long_the_door_is_shut_and_not_stuck(web: Web) -> None:
    running, url = web
    place = urlsplit(url)
    with socket.create_connection((str(place.hostname), place.port or 0)) as slow:
        slow.sendall(b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
        assert answers(url, 1) == [200]
        running.terminate()
        until(lambda: refused(url))
    running.wait(PATIENCE_S)


def refused(url: str) -> bool:
    try:
        httpx2.get(f"{url}/login", trust_env=False, timeout=1.0)
    except httpx2.ConnectError:
        return True
    except httpx2.HTTPError:
        return False
    return False


def test_where_no_process_can_start_the_first_ends_too(shops: Database, tmp_path: Path) -> None:
    """The pages alone need this library, so the first process would come up without it."""
    (tmp_path / "ninja.py").write_text("raise RuntimeError('not today')")
    asked = children.command("web", "--port", "0", "--processes", "2", "--log", "json")
    broken = {**shops.environment(), "PYTHONPATH": str(tmp_path)}
    ended = subprocess.run(asked, env=broken, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    told = [json.loads(line) for line in ended.stderr.splitlines()]
    ours = [one for one in told if one["part"] == "config.keeping"]
    assert ended.returncode == 1
    assert {one["level"] for one in ours} == {"CRITICAL"}
    assert all("cannot start | RuntimeError" in one["event"] for one in ours)


def test_a_second_server_does_not_join_the_first(web: Web, shops: Database) -> None:
    port = str(urlsplit(web[1]).port)
    for processes in ("1", "2"):
        asked = children.command("web", "--port", port, "--processes", processes)
        second = subprocess.run(
            asked, env=shops.environment(), capture_output=True, text=True, timeout=60, check=False
        )
        assert second.returncode == 1
        assert f":{port}: Address already in use；换一个端口" in second.stderr
        assert second.stderr.count("\n") == 1
