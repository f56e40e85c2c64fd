"""Several processes of the pages on one port: one is replaced when it dies, none outlives the first."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from aftersale.cli import children
from tests.conftest import Database
from tests.people.test_browser_story import process

PATIENCE_S = 20.0
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere one process is the default")


@pytest.fixture
def web(shops: Database, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    with process(
        ["web", "--port", "0", "--json", "--processes", "2"], shops, tmp_path / "web.log"
    ) as running:
        url = children.address(running, tmp_path / "web.log")
        until(lambda: len(serving(running.pid)) == 2)
        yield running, url


def serving(first: int) -> set[int]:
    """The processes that the first one has forked."""
    told = Path(f"/proc/{first}/task/{first}/children")
    return {int(pid) for pid in told.read_text().split()}


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.02)


def lives(pid: int) -> bool:
    """Neither gone nor dead and not yet taken note of."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def answers(url: str, times: int) -> list[int]:
    """Each over a connection of its own, so that all processes are met."""
    return [httpx2.get(f"{url}/login", trust_env=False, timeout=PATIENCE_S).status_code for _ in range(times)]


def used_s(pid: int) -> float:
    """Processor time."""
    told = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


def test_both_answer(web: tuple[subprocess.Popen[str], str]) -> None:
    running, url = web
    before = {pid: used_s(pid) for pid in serving(running.pid)}
    assert answers(url, 40) == [200] * 40
    assert all(used_s(pid) > before[pid] for pid in before)


def test_one_that_is_killed_is_replaced_and_nobody_is_turned_away_for_long(
    web: tuple[subprocess.Popen[str], str],
) -> None:
    running, url = web
    killed, other = sorted(serving(running.pid))
    os.kill(killed, signal.SIGKILL)
    until(lambda: not lives(killed))
    assert answers(url, 12) == [200] * 12
    until(lambda: len(serving(running.pid)) == 2)
    assert other in serving(running.pid)
    assert killed not in serving(running.pid)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_when_the_first_ends_all_have_ended(
    web: tuple[subprocess.Popen[str], str], number: signal.Signals
) -> None:
    running, url = web
    forked = serving(running.pid)
    running.send_signal(number)
    assert running.wait(PATIENCE_S) == -number
    until(lambda: not any(lives(pid) for pid in forked))
    with pytest.raises(httpx2.ConnectError):
        answers(url, 1)


def test_a_second_server_does_not_join_the_first(
    web: tuple[subprocess.Popen[str], str], shops: Database
) -> None:
    port = str(urlsplit(web[1]).port)
    for processes in ("1", "2"):
        asked = children.command("web", "--port", port, "--processes", processes)
        second = subprocess.run(
            asked, env=shops.environment(), capture_output=True, text=True, timeout=60, check=False
        )
        assert second.returncode == 1
        assert f":{port}: Address already in use；换一个端口" in second.stderr
        assert second.stderr.count("\n") == 1
