"""Put a sandbox together and run it until it is told to stop."""

import asyncio
import gc
import signal
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import uvicorn

from aftersale.sandbox.clock import Agenda, Clock
from aftersale.sandbox.days.promotion import promotion
from aftersale.sandbox.days.replay import replay, rows
from aftersale.sandbox.faults import Faults
from aftersale.sandbox.ledger import Ledger
from aftersale.sandbox.push import WAITING_MAX, Outbox
from aftersale.sandbox.top.protocol import Gate, Quota
from aftersale.sandbox.world import buyers, platform
from aftersale.sandbox.world.announce import Silence
from aftersale.sandbox.world.market import Market

SLICE = 250  # happenings between two looks at the network


@dataclass(frozen=True, slots=True)
class Settings:
    """How a sandbox is made. `applications` are shared out evenly over the shops demo1 … demoN."""

    host: str = "127.0.0.1"
    port: int = 0
    seed: int = 7
    applications: int = 1000
    days: int = 1
    speed: float = 60.0
    shops: int = 1
    shop_prefix: str = "demo"
    push_url: str | None = None
    report: Path | None = None
    ledger: Path | None = None
    qps: float = 50.0
    start: datetime | None = None


class Sandbox:
    """One running world with its clock, book, troubles and pushes."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        report = rows(settings.report) if settings.report else []
        start_ms = _start_ms(settings, report[0].paid_ms if report else None)
        self.agenda, self.clock = Agenda(), Clock(start_ms, settings.speed)
        self.ledger, self.faults = Ledger(settings.ledger), Faults()
        self.outbox = Outbox(settings.push_url, self.faults) if settings.push_url else None
        self.market = Market(settings.seed, self.agenda, self.ledger, self.outbox or Silence())
        self.market.course += [partial(platform.course, self.market), partial(buyers.course, self.market)]
        self.calls: Counter[str] = Counter()
        for place in range(settings.shops):
            shop = self.market.add_shop(f"{settings.shop_prefix}{place + 1}", tmall=place % 2 == 0)
            if self.outbox:
                self.outbox.add_shop(shop.code)
            if report:
                replay(self.market, shop, report[place :: settings.shops], start_ms)
            else:
                count = len(range(place, settings.applications, settings.shops))
                promotion(self.market, shop, start_ms=start_ms, days=settings.days, applications=count)
        self.gate = Gate(self.clock, self.market.shops, Quota(settings.qps))

    def behind(self) -> bool:
        """Is anything due that has not happened yet?"""
        next_ms = self.agenda.next_ms()
        return next_ms is not None and next_ms <= self.clock.now_ms()

    async def live(self) -> None:
        """Let everything happen when it is due; wait while the receiver of pushes cannot follow."""
        while True:
            if self.outbox and self.outbox.waiting > WAITING_MAX:
                await asyncio.sleep(0.01)
                continue
            done = self.agenda.run(self.clock.now_ms(), SLICE)
            self.ledger.sync()
            await asyncio.sleep(0 if done else 0.01)

    async def caught_up(self, limit_s: float, pushed: bool = False) -> None:
        """Wait until nothing due is left, and no push either when `pushed`; at most `limit_s`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                while self.behind() or (pushed and self.outbox and self.outbox.waiting):
                    await asyncio.sleep(0.005)


class _Server(uvicorn.Server):
    """Uvicorn that leaves signals to us, so that a stop is a clean end and works in a thread as well."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def serve(settings: Settings, tell: Callable[[str], None]) -> None:
    """Run until SIGTERM or SIGINT; `tell` gets the address once calls are taken. Raises OSError, BadFile."""
    listener = socket.create_server((settings.host, settings.port))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else answers wait 40 ms
    sandbox = Sandbox(settings)
    gc.freeze()  # many small things that live long: looking for cycles among them costs half the time
    gc.set_threshold(50_000, 50, 1000)
    with sandbox.ledger:
        asyncio.run(_serve(sandbox, listener, tell))


async def _serve(sandbox: Sandbox, listener: socket.socket, tell: Callable[[str], None]) -> None:
    from aftersale.sandbox.app import App

    config = uvicorn.Config(
        App(sandbox),
        lifespan="off",
        access_log=False,
        log_level="critical",
        timeout_graceful_shutdown=2,
    )
    server = _Server(config)
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, setattr, server, "should_exit", True)
    host, port = listener.getsockname()[:2]
    tell(f"http://{host}:{port}")
    tasks = [asyncio.create_task(sandbox.live())]
    if sandbox.outbox:
        tasks.append(asyncio.create_task(sandbox.outbox.run()))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    done, _ = await asyncio.wait([serving, *tasks], return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    for task in tasks:
        task.cancel()
    await serving
    for task in done:
        task.result()


def _start_ms(settings: Settings, first_paid_ms: int | None) -> int:
    if settings.start is not None:
        return int(settings.start.timestamp() * 1000)
    if first_paid_ms is not None:
        return first_paid_ms
    return int(datetime.now(UTC).timestamp()) * 1000
