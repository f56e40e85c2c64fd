"""`aftersale work`."""

import logging
import signal
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from aftersale.cli import fail

if TYPE_CHECKING:
    from aftersale.act.run import Limits
    from aftersale.intake.pull import PullLimits
    from aftersale.work import Turn


@click.command("work")
@click.option(
    "--calls-per-s", default=40.0, show_default=True, help="Calls a second of one platform application."
)
@click.option(
    "--lease-s", default=60.0, show_default=True, help="A send that takes longer has an unknown outcome."
)
@click.option(
    "--ask-after-s", default=10.0, show_default=True, help="How long to wait before asking what became of it."
)
@click.option("--pull-every-s", default=60.0, show_default=True, help="Pause between pulls of one shop.")
@click.option("--only", type=click.Choice(["decide", "act", "pull"]), help="Do only this part.")
def command(
    calls_per_s: float, lease_s: float, ask_after_s: float, pull_every_s: float, only: str | None
) -> None:
    """Decide what arrives and what is due, send what is approved, fetch what is missing; until stopped.

    \b
    aftersale work                   one worker; start as many as you like, on any hosts
    aftersale work --only decide     leave the sending to others
    """
    import psycopg

    from aftersale.act.run import Limits
    from aftersale.intake.pull import PullLimits
    from aftersale.pg import Refused
    from aftersale.pg.connect import check, connect

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        with connect(application="aftersale work") as conn:
            check(conn)
    except Refused as refused:
        fail(refused.why)
    except psycopg.OperationalError as error:  # the database went away just now: the turns wait for it
        logging.getLogger(__name__).warning("%s", error)
    limits, pulls = (
        Limits(calls_per_s, lease_s=lease_s, ask_after_s=ask_after_s),
        PullLimits(pull_every_s, calls_per_s),
    )
    jobs = {"decide": deciding, "act": lambda: sending(limits), "pull": lambda: pulling(pulls)}
    _run([job for name, job in jobs.items() if only in (None, name)])


def deciding() -> "Turn":
    """A turn of intake and deciding, with a connection of its own."""
    from aftersale.cases import stage
    from aftersale.clock import Clock
    from aftersale.decide.run import Decider
    from aftersale.pg.connect import connect
    from aftersale.rulebooks import books
    from aftersale.work import Desk

    conn = connect(application="aftersale decide")
    stage.prepare(conn)
    decider = Decider(conn, books.book("refund"), books.text("refund.yaml"), books.actions())
    return Desk(conn, decider, Clock(lambda: connect(application="aftersale clock")).now).turn


def sending(limits: "Limits") -> "Turn":
    """A turn of sending and asking, with connections of its own."""
    import httpx2

    from aftersale.act.run import Actor
    from aftersale.clock import Clock
    from aftersale.pg.connect import connect
    from aftersale.rulebooks import books

    now = Clock(lambda: connect(application="aftersale clock")).now
    http = httpx2.Client(trust_env=False)
    texts = {code: action.message for code, action in books.actions().items() if action.message}
    return Actor(connect(application="aftersale act"), http, now, texts, limits).turn


def pulling(limits: "PullLimits") -> "Turn":
    """A turn of fetching and pulling, with connections of its own."""
    import httpx2

    from aftersale.clock import Clock
    from aftersale.intake.pull import Puller
    from aftersale.pg.connect import connect

    now = Clock(lambda: connect(application="aftersale clock")).now
    return Puller(connect(application="aftersale pull"), httpx2.Client(trust_env=False), now, limits).turn


def _run(builds: list[Callable[[], "Turn"]]) -> None:
    """Each in a thread of its own until a signal asks to stop; a turn that runs is finished."""
    from aftersale.work import forever

    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    threads = [threading.Thread(target=forever, args=(build, stopping), daemon=True) for build in builds]
    for thread in threads:
        thread.start()
    while not stopping.wait(1.0):
        pass
    for thread in threads:
        thread.join(30.0)
