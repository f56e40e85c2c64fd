"""A TCP proxy that breaks what passes: at drawn steps (traps) or for a share of the connections (weather).

A trap catches the n-th exchange of its kind, before it is forwarded or before its answer is; while the bytes are held
its `then` runs (a kill, say), and afterwards they meet their `fate`: pass, lose (both ends reset), cut (half of them,
then reset), half_open (the connection stays, nothing passes any more).
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal, Self, TypeVar

from tests.faults.real.wire import Exchange, Framing, Piece, Plain

Fate = Literal["pass", "lose", "cut", "half_open"]
Stage = Literal["before", "after"]
CHUNK = 65_536
T = TypeVar("T")


@dataclass
class Trap:
    """`what` is a part of the exchange's name; empty catches all of the place."""

    where: str
    what: str
    stage: Stage
    nth: int = 1
    fate: Fate = "pass"
    then: Callable[[], None] = lambda: None
    seen: int = 0
    fired: threading.Event = field(default_factory=threading.Event)

    def catches(self, exchange: Exchange, stage: Stage) -> bool:
        if self.fired.is_set() or stage != self.stage or exchange.where != self.where:
            return False
        if self.what not in exchange.what:
            return False
        self.seen += 1
        if self.seen != self.nth:
            return False
        self.fired.set()
        return True


@dataclass(frozen=True)
class Weather:
    """Shares of the connections that are refused, cut or black-holed after some bytes; a delay for each piece."""

    seed: int = 0
    refuse_p: float = 0.0
    cut_p: float = 0.0
    half_open_p: float = 0.0
    after_bytes: int = 0
    delay_s: float = 0.0


class Lost(Exception):
    """The connection ends here."""


class Proxy:
    """One listening port in front of one address; lives in a thread of its own."""

    def __init__(
        self, upstream: Callable[[], tuple[str, int]], framing: Callable[[], Framing] = Plain
    ) -> None:
        self._upstream, self._framing = upstream, framing
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._traps: list[Trap] = []
        self._weather, self._drawn = Weather(), Random(0)
        self._open: set[_Pair] = set()
        self.broken = 0
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = self._do(asyncio.start_server(self._accept, "127.0.0.1", 0, limit=CHUNK))
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._server.close)
        self.reset()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5.0)

    def arm(self, traps: list[Trap], weather: Weather) -> None:
        """From now on these; what was armed before is gone."""
        self._traps, self._weather, self._drawn = traps, weather, Random(weather.seed)

    def calm(self) -> None:
        """No more trouble, also for the connections of now. Those that were broken half-open end."""
        self._traps, self._weather = [], Weather()
        for pair in list(self._open):
            pair.calm()
        self._do(self._drop(only_silent=True))

    def reset(self) -> None:
        """Every connection ends now."""
        self._do(self._drop(only_silent=False))

    def silence(self) -> None:
        """Every connection of now stays open and carries nothing any more; new ones are as they were."""
        for pair in list(self._open):
            pair.silent = True

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10.0)

    async def _drop(self, only_silent: bool) -> None:
        for pair in [pair for pair in self._open if pair.silent or not only_silent]:
            pair.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pair = _Pair(self, self._framing(), self._weather, self._drawn)
        if pair.refused:
            self.broken += 1
            writer.transport.abort()
            return
        try:
            there = await asyncio.open_connection(*self._upstream())
        except OSError:
            writer.transport.abort()
            return
        self._open.add(pair)
        try:
            await pair.run((reader, writer), there)
        finally:
            self._open.discard(pair)

    async def caught(self, exchange: Exchange | None, stage: Stage) -> Fate:
        """Run what the first trap that catches this wants; its fate for the bytes."""
        if exchange is None:
            return "pass"
        for trap in self._traps:
            if trap.catches(exchange, stage):
                await self._loop.run_in_executor(None, trap.then)
                return trap.fate
        return "pass"


def _joined(pieces: list[Piece]) -> Iterator[Piece]:
    """What may not be caught goes out with its neighbours: each write wakes somebody."""
    held = b""
    for piece, exchange in pieces:
        if exchange is None:
            held += piece
            continue
        if held:
            yield held, None
        held = b""
        yield piece, exchange
    if held:
        yield held, None


Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Pair:
    """One connection through the proxy."""

    def __init__(self, proxy: Proxy, framing: Framing, weather: Weather, drawn: Random) -> None:
        self._proxy, self._framing, self._delay_s = proxy, framing, weather.delay_s
        draw = drawn.random()
        self.refused = draw < weather.refuse_p
        self._cuts = weather.refuse_p <= draw < weather.refuse_p + weather.cut_p
        self._silences = 1 - weather.half_open_p <= draw
        self._left = drawn.randrange(weather.after_bytes + 1)
        self.silent = False
        self._writers: list[asyncio.StreamWriter] = []

    @property
    def _stormy(self) -> bool:
        """Weather falls between any two messages."""
        return bool(self._cuts or self._silences or self._delay_s)

    def calm(self) -> None:
        """It passes on all that comes from now on, at once."""
        self._delay_s, self._cuts, self._silences = 0.0, False, False

    def abort(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def run(self, here: Stream, there: Stream) -> None:
        self._writers = [here[1], there[1]]
        up = asyncio.create_task(self._pass(here[0], there[1], self._framing.up, "before"))
        down = asyncio.create_task(self._pass(there[0], here[1], self._framing.down, "after"))
        done, _ = await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
        if done == {up} and up.exception() is None:
            await asyncio.wait({down})  # the client has said everything; the answer may still come
        for task in (up, down):
            task.cancel()
            with suppress(asyncio.CancelledError, Lost, OSError):
                await task
        for writer in self._writers:
            writer.close()  # what was forwarded still goes out

    async def _pass(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        cut_up: Callable[[bytes], list[Piece]],
        stage: Stage,
    ) -> None:
        while data := await reader.read(CHUNK):
            pieces = cut_up(data)
            for piece, exchange in pieces if self._stormy else _joined(pieces):
                await self._forward(writer, piece, await self._proxy.caught(exchange, stage))
        if stage == "after" and not self.silent:
            writer.write(self._framing.rest())
        if not self.silent and writer.can_write_eof():
            writer.write_eof()

    async def _forward(self, writer: asyncio.StreamWriter, piece: bytes, fate: Fate) -> None:
        fate = self._weathered(len(piece)) if fate == "pass" else fate
        if fate != "pass" and not self.silent:
            self._proxy.broken += 1
        if self._delay_s:
            await asyncio.sleep(self._delay_s)
        self.silent = self.silent or fate == "half_open"
        if self.silent:
            return
        if fate != "lose":
            writer.write(piece if fate == "pass" else piece[: len(piece) // 2])
            await writer.drain()
        if fate != "pass":
            await asyncio.sleep(0.005)  # let the half arrive before the reset overtakes it
            self.abort()
            raise Lost

    def _weathered(self, size: int) -> Fate:
        self._left -= size
        if self._left > 0 or not (self._cuts or self._silences):
            return "pass"
        return "cut" if self._cuts else "half_open"
