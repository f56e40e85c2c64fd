"""The pages and the webhook door, served on one port by one process or by several."""

import gc
import os
import socket
from collections.abc import Sequence
from functools import partial

import psycopg

from aftersale.config.forks import Forks


def listen(host: str, port: int, processes: int) -> list[socket.socket]:
    """A socket for each process; the system shares out who connects. Raises OSError when somebody else has the port."""
    first = _bound(host, port)
    if processes == 1:
        return [first]
    number = first.getsockname()[1]
    first.close()  # it proved that the port is free: with SO_REUSEPORT a second server of ours would join the first
    return [_bound(host, number, shared=True) for _ in range(processes)]


def _bound(host: str, port: int, shared: bool = False) -> socket.socket:
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # uvicorn does not for a ready socket
        listening.bind((host, port))
        listening.listen(2048)
    except OSError:
        listening.close()
        raise
    return listening


def serve(sockets: Sequence[socket.socket]) -> None:
    """Until SIGTERM or SIGINT."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aftersale.config.settings")
    from django.urls import get_resolver

    import aftersale.config.asgi  # noqa: F401 - Django is set up
    from aftersale.config.postgres.base import keep_connections
    from aftersale.people.settings.known import index

    keep_connections(processes=len(sockets))
    index()  # every book and page is read now instead of in somebody's first request
    _ = get_resolver().url_patterns
    gc.freeze()  # they stay: looking through them for garbage stopped every page for 40 ms now and then
    works = [partial(_serve, listening) for listening in sockets]
    if len(works) == 1:
        works[0]()
    else:
        Forks(works).run()


def _serve(listening: socket.socket) -> None:
    """One process, with a door and connections of its own."""
    import uvicorn

    from aftersale.config.asgi import pages
    from aftersale.config.env import environment
    from aftersale.health.door import HealthDoor
    from aftersale.health.reader import SETTINGS, Reader
    from aftersale.intake.door import Door
    from aftersale.pg.connect import SETTINGS as LIMITS
    from aftersale.pg.connect import connect as connect_once
    from aftersale.pg.connect import database_url, home_folder, limited

    async def connect() -> psycopg.AsyncConnection:
        return await psycopg.AsyncConnection.connect(**limited(database_url("app"), "aftersale door", LIMITS))

    def connect_for_health() -> psycopg.Connection:
        return connect_once(application="aftersale health", settings=SETTINGS, connect_timeout=2)

    reader = Reader(connect_for_health, home_folder())
    app = HealthDoor(Door(connect, pages), reader, environment().metrics_token)
    config = uvicorn.Config(app, log_level="warning", lifespan="off", access_log=False)
    uvicorn.Server(config).run(sockets=[listening])
