"""`aftersale web`."""

import json
import os
import sys
from typing import TYPE_CHECKING

import click

from aftersale.cli import fail, log_option

if TYPE_CHECKING:
    from aftersale.config.log import Kind


@click.command("web")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, help="Port to listen on; 0 takes a free one.")
@click.option(
    "--processes", type=click.IntRange(1, 16), help="How many share the port; else one a core, at most 4."
)
@click.option("--json", "as_json", is_flag=True, help="Print the address as JSON.")
@log_option
def command(host: str, port: int, processes: int | None, as_json: bool, log: "Kind") -> None:
    """The pages and the webhook door, on one port.

    \b
    aftersale web                    http://127.0.0.1:8000
    aftersale web --port 0 --json    a free port, printed as {"url": ...}
    aftersale web --processes 1      all in one process; one that ends by itself is not started again then

    Webhooks come to /hooks/{taobao|kuaidi100|warehouse}/{shop code}. /health answers 200 or 503, /metrics what
    Prometheus wants to know.
    """
    from aftersale.config.log import to_stderr
    from aftersale.config.serving import listen, serve
    from aftersale.limits.publish import check_published
    from aftersale.pg import Refused
    from aftersale.pg.connect import check, connect

    to_stderr(log)
    try:
        with connect(application="aftersale web") as conn:
            check(conn)
            check_published(conn)
        sockets = listen(host, port, processes or _usual())
    except Refused as refused:
        fail(refused.why)
    except OSError as error:
        fail(f"{host}:{port}: {error.strerror}；换一个端口：aftersale web --port 0")
    url = f"http://{host}:{sockets[0].getsockname()[1]}"
    click.echo(json.dumps({"url": url}) if as_json else f"Aftersale 售后台 {url}")
    serve(sockets)


def _usual() -> int:
    """One for each core as far as people notice; forking is for Linux, which also shares a port out evenly."""
    return min(len(os.sched_getaffinity(0)), 4) if sys.platform == "linux" else 1
