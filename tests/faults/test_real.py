"""A few schedules of real processes; `make faults` runs hundreds. And the proxy breaks what it says it breaks."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from tests.faults.real.place import place
from tests.faults.real.proxy import Proxy, Trap, Weather
from tests.faults.real.run import run
from tests.faults.real.schedule import FAMILIES, STEPS, draw
from tests.faults.real.wire import Http

SEEDS = (
    6,
    11,
    17,
    23,
    4,
)  # database at the claim and after the call, a worker in its send, the door, connections
ASK = b"GET /router?method=taobao.refund.get HTTP/1.1\r\nhost: x\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


def test_every_promise_holds_while_real_processes_are_killed(tmp_path: Path) -> None:
    with place(tmp_path, 3, 60) as made:
        told = [run(made, draw(seed)) for seed in SEEDS]
    assert [one.wrong for one in told] == [[] for _ in SEEDS]
    assert sum(one.done["database killed"] for one in told) >= 2
    assert sum(one.done["bodies acknowledged"] for one in told) > 0


def test_a_seed_is_always_the_same_script() -> None:
    assert [draw(seed) for seed in range(50)] == [draw(seed) for seed in range(50)]
    assert draw(1) != draw(6)


def test_five_hundred_seeds_kill_the_database_three_hundred_times_and_in_every_step() -> None:
    drawn = [draw(seed) for seed in range(500)]
    kills = [one for each in drawn for one in each.breaks if one.victim == "database"]
    assert len(kills) == 300
    assert {(one.where, one.what, one.stage) for one in kills} == {
        (*step, stage) for step in STEPS for stage in ("before", "after")
    }
    assert {each.family for each in drawn} == set(FAMILIES)


@contextmanager
def _server() -> Iterator[int]:
    """Answers every request it gets."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer(there: socket.socket) -> None:
            with there, suppress(OSError):
                while there.recv(1000):
                    there.sendall(ANSWER)

        def serve() -> None:
            with suppress(OSError):
                while True:
                    threading.Thread(target=answer, args=listening.accept()[:1], daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1]


def _asked(port: int) -> bytes:
    with closing(socket.create_connection(("127.0.0.1", port), timeout=1.0)) as here:
        here.sendall(ASK)
        try:
            got = here.recv(1000)
            while len(got) < len(ANSWER) and (more := here.recv(1000)):
                got += more
        except ConnectionError:
            return b"reset"
        except TimeoutError:
            return b"silence"
        return got


@pytest.mark.parametrize(
    ("stage", "fate", "heard"),
    [
        ("before", "pass", ANSWER),
        ("after", "pass", ANSWER),
        ("before", "lose", b"reset"),
        ("after", "lose", b"reset"),
        ("before", "half_open", b"silence"),
        ("after", "half_open", b"silence"),
    ],
)
def test_a_trap_holds_the_bytes_and_then_they_meet_their_fate(stage: str, fate: str, heard: bytes) -> None:
    held: list[str] = []
    trap = Trap("call", "refund.get", stage, fate=fate, then=lambda: held.append(stage))  # type: ignore[arg-type]
    with _server() as port, Proxy(lambda: ("127.0.0.1", port), lambda: Http("call")) as proxy:
        proxy.arm([trap], Weather())
        assert _asked(proxy.port) in (heard, b"") if heard == b"reset" else _asked(proxy.port) == heard
        assert held == [stage]
        assert _asked(proxy.port) == ANSWER  # once only


def test_an_answer_cut_in_half_is_half_there() -> None:
    with _server() as port, Proxy(lambda: ("127.0.0.1", port), lambda: Http("call")) as proxy:
        proxy.arm([Trap("call", "", "after", fate="cut")], Weather())
        assert _asked(proxy.port) in (ANSWER[: len(ANSWER) // 2], b"reset")


def test_weather_refuses_every_connection_it_is_told_to() -> None:
    with _server() as port, Proxy(lambda: ("127.0.0.1", port)) as proxy:
        proxy.arm([], Weather(refuse_p=1.0))
        assert _asked(proxy.port) in (b"reset", b"")
        proxy.calm()
        assert _asked(proxy.port) == ANSWER


def test_what_the_door_answered_is_recorded_with_its_body() -> None:
    seen: list[tuple[bytes, int]] = []
    framing = Http("push", lambda body, status: seen.append((body, status)))
    framing.up(b"POST /hooks HTTP/1.1\r\ncontent-length: 3\r\n\r\nabc")
    framing.down(b"HTTP/1.1 503 x\r\ncontent-length: 0\r\n\r\n")
    assert seen == [(b"abc", 503)]
