"""`aftersale web`."""

import gc
import json
import os
import socket
import sys
from multiprocessing import parent_process
from typing import TYPE_CHECKING, Any

import click

from aftersale.cli import fail, log_option

if TYPE_CHECKING:
    from aftersale.config.log import Kind

STUCK_S = 15  # a process that does not answer the first one for so long is replaced
SLOW_S = 30  # whoever has not finished their request by then after SIGTERM is cut off


@click.command("web")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, help="Port to listen on; 0 takes a free one.")
@click.option(
    "--processes",
    type=click.IntRange(0, 8),
    envvar="AFTERSALE_WEB_PROCESSES",
    help="How many share the port; 0: one a core, at most 4.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the address as JSON.")
@log_option
def command(host: str, port: int, processes: int | None, as_json: bool, log: "Kind") -> None:
    """The pages and the webhook door, on one port.

    \b
    aftersale web                    http://127.0.0.1:8000
    aftersale web --port 0 --json    a free port, printed as {"url": ...}

    Webhooks come to /hooks/{taobao|kuaidi100|warehouse}/{shop code}. /health answers 200 or 503, /metrics what
    Prometheus wants to know.
    """
    from aftersale.config.log import to_stderr
    from aftersale.pg import Refused

    to_stderr(log)
    try:
        check_record()
        listening = _listen(host, port)
    except Refused as refused:
        fail(refused.why)
    except OSError as error:
        fail(f"{host}:{port}: {error.strerror}；换一个端口：aftersale web --port 0")
    url = f"http://{host}:{listening.getsockname()[1]}"
    click.echo(json.dumps({"url": url}) if as_json else f"Aftersale 售后台 {url}")
    shared = processes or _usual()
    os.environ.update(AFTERSALE_LOG=log, AFTERSALE_WEB_PROCESSES=str(shared))
    _serve(listening, shared)


def check_record() -> None:
    """Raises `Refused` unless the database is there and is this release's."""
    from aftersale.limits.publish import check_published
    from aftersale.pg.connect import check, connect

    with connect(application="aftersale web") as conn:
        check(conn)
        check_published(conn)


def _listen(host: str, port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # uvicorn does not for a ready socket
    listening.bind((host, port))
    listening.listen(2048)
    return listening


def _serve(listening: socket.socket, processes: int) -> None:
    """Until SIGTERM or SIGINT. Several processes take turns at one socket; the first only keeps the others running."""
    import uvicorn

    config = uvicorn.Config(
        "aftersale.cli.web:pages_and_door",
        factory=True,
        workers=processes,
        timeout_worker_healthcheck=STUCK_S,
        timeout_graceful_shutdown=SLOW_S,
        log_config=None,
        log_level="warning",
        lifespan="off",
        access_log=False,
    )
    if processes == 1:
        uvicorn.Server(config).run(sockets=[listening])
        return
    from aftersale.config.keeping import keep

    keep(config, listening)


def pages_and_door() -> Any:
    """The ASGI application of one process."""
    from aftersale.config.keeping import begins

    return begins(check_record, _application) if parent_process() else _application()


def _application() -> Any:
    """With connections of its own."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aftersale.config.settings")
    import psycopg
    from django.urls import get_resolver

    from aftersale.config.asgi import pages
    from aftersale.config.env import environment
    from aftersale.config.postgres.base import keep_connections
    from aftersale.health.door import HealthDoor
    from aftersale.health.reader import SETTINGS, Reader
    from aftersale.intake.door import Door
    from aftersale.people.settings.known import index
    from aftersale.pg.connect import SETTINGS as LIMITS
    from aftersale.pg.connect import connect as connect_once
    from aftersale.pg.connect import database_url, home_folder, limited

    async def connect() -> psycopg.AsyncConnection:
        return await psycopg.AsyncConnection.connect(**limited(database_url("app"), "aftersale door", LIMITS))

    def connect_for_health() -> psycopg.Connection:
        return connect_once(application="aftersale health", settings=SETTINGS, connect_timeout=2)

    given = environment()
    keep_connections(given.web_processes)
    reader = Reader(connect_for_health, home_folder())
    app = HealthDoor(Door(connect, pages), reader, given.metrics_token)
    index()  # every book and page is read now instead of in somebody's first request
    _ = get_resolver().url_patterns
    gc.freeze()  # they stay: looking through them for garbage stopped every page for 40 ms now and then
    return app


def _usual() -> int:
    """As many as there are cores, as far as people notice."""
    if sys.platform != "linux":
        return 1
    return min(len(os.sched_getaffinity(0)), 4)
