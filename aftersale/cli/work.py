"""`aftersale work`."""

import contextlib
import logging
import os
import signal
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from aftersale.cli import fail, log_option

if TYPE_CHECKING:
    from aftersale.act.run import Limits
    from aftersale.config.log import Kind
    from aftersale.health.pulse import Sign
    from aftersale.intake.pull import PullLimits
    from aftersale.work import Turn

STUCK = 70  # EX_SOFTWARE
SILENT_S = 300.0


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
@click.option(
    "--stuck-s", default=90.0, show_default=True, help="A stage whose turn takes longer ends the worker."
)
@click.option(
    "--silent-s",
    default=300.0,
    show_default=True,
    help="After a longer silence of all workers it asks before it sends.",
)
@log_option
@click.option(
    "--only",
    type=click.Choice(["decide", "act", "pull", "reconcile", "jobs", "tidy"]),
    help="Do only this part.",
)
def command(
    calls_per_s: float,
    lease_s: float,
    ask_after_s: float,
    pull_every_s: float,
    stuck_s: float,
    silent_s: float,
    log: "Kind",
    only: str | None,
) -> None:
    """Decide what arrives and what is due, send what is approved, fetch what is missing; until stopped.

    \b
    aftersale work                   one worker; start as many as you like, on any hosts
    aftersale work --only decide     leave the sending to others
    """
    import psycopg

    from aftersale.act.run import Limits
    from aftersale.config.log import to_stderr
    from aftersale.intake.pull import PullLimits
    from aftersale.limits.publish import check_published
    from aftersale.pg import Refused
    from aftersale.pg.connect import check, connect

    to_stderr(log)
    try:
        with connect(application="aftersale work") as conn:
            check(conn)
            check_published(conn)
    except Refused as refused:
        fail(refused.why)
    except psycopg.OperationalError as error:  # the database went away just now: the turns wait for it
        logging.getLogger(__name__).warning("%s", error)
    stopping = threading.Event()
    limits, pulls = (
        Limits(calls_per_s, lease_s=lease_s, ask_after_s=ask_after_s),
        PullLimits(pull_every_s, calls_per_s),
    )
    jobs = {
        "decide": deciding,
        "act": lambda: sending(limits, silent_s, stopping.is_set),
        "pull": lambda: pulling(pulls),
        "reconcile": lambda: reconciling(calls_per_s),
        "jobs": lambda: running_jobs(stopping.is_set),
        "tidy": tidying,
    }
    _run({name: job for name, job in jobs.items() if only in (None, name)}, stopping, stuck_s, silent_s)


def deciding() -> "Turn":
    """A turn of intake, what the warehouse scanned among it, and deciding, with a connection of its own."""
    from aftersale.cases import stage
    from aftersale.cases.returns.tell import tell
    from aftersale.clock import Clock
    from aftersale.decide.run import Decider
    from aftersale.pg.connect import connect
    from aftersale.rulebooks import books
    from aftersale.work import Desk, paced

    conn = connect(application="aftersale decide")
    stage.prepare(conn)
    decider = Decider(conn, books.book("refund"), books.text("refund.yaml"), books.actions())
    desk = Desk(conn, decider, Clock(lambda: connect(application="aftersale clock")).now)
    scanned = paced(lambda: tell(conn, desk.now()), idle_s=1.0)
    return lambda: desk.turn() + scanned()


def sending(
    limits: "Limits", silent_s: float = SILENT_S, stopping: Callable[[], bool] = lambda: False
) -> "Turn":
    """A turn of sending and asking, with connections of its own. After a silence it only asks at first."""
    import httpx2

    from aftersale import instance
    from aftersale.act.run import Actor
    from aftersale.clock import Clock
    from aftersale.pg.connect import connect, home_folder
    from aftersale.rulebooks import books

    now = Clock(lambda: connect(application="aftersale clock")).now
    http = httpx2.Client(trust_env=False)
    texts = {code: action.message for code, action in books.actions().items() if action.message}
    conn = connect(application="aftersale act")
    instance.wake(conn, home_folder(), silent_s)
    return Actor(conn, http, now, texts, limits, stopping).turn


def pulling(limits: "PullLimits") -> "Turn":
    """A turn of fetching and pulling, what people wait for first, with connections of its own."""
    import httpx2

    from aftersale.clock import Clock
    from aftersale.intake import reasons
    from aftersale.intake.pull import Puller
    from aftersale.pg.connect import connect

    now = Clock(lambda: connect(application="aftersale clock")).now
    puller = Puller(connect(application="aftersale pull"), httpx2.Client(trust_env=False), now, limits)
    return lambda: reasons.ask(puller) + puller.turn()


def reconciling(calls_per_s: float) -> "Turn":
    """A turn of comparing our ledger with the platform's, with connections of its own."""
    import httpx2

    from aftersale.act.reconcile import Pace, Reconciler
    from aftersale.clock import Clock
    from aftersale.pg.connect import connect
    from aftersale.work import paced

    now = Clock(lambda: connect(application="aftersale clock")).now
    http = httpx2.Client(trust_env=False)
    conn = connect(application="aftersale reconcile")
    return paced(Reconciler(conn, http, now, Pace(calls_per_s)).turn)


def running_jobs(ending: Callable[[], bool] = lambda: False) -> "Turn":
    """A turn of imports, exports and whatever else people started; Django is ready for those of the pages."""
    from aftersale.jobs.run import Runner
    from aftersale.pg.connect import SETTINGS, connect, database_url, limited
    from aftersale.work import paced

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aftersale.config.settings")
    import django
    from django.db import connections

    django.setup()
    pool = limited(database_url("app"), "aftersale jobs", SETTINGS)
    runner = Runner(
        lambda: connect(application="aftersale job", autocommit=True), pool, ending, connections.close_all
    )
    return paced(runner.turn, idle_s=0.5)


def tidying() -> "Turn":
    """A turn of keeping the queue's counters short, new cases findable, and of opening the work orders that rules ask
    for, with a connection of its own."""
    from aftersale.cases.waiting.upkeep import turn
    from aftersale.people.work_orders import by_rule
    from aftersale.pg.connect import connect
    from aftersale.work import paced

    conn = connect(application="aftersale tidy", autocommit=True)
    keeping, opening = paced(lambda: turn(conn)), paced(lambda: by_rule.turn(conn), idle_s=10.0)
    return lambda: keeping() + opening()


def watching(signs: "Sequence[Sign]", silent_s: float) -> "Turn":
    """A turn of telling that we live, noticing what was missed, and asking whether sending may begin again."""
    from aftersale.clock import Clock
    from aftersale.health.round import Round
    from aftersale.pg.connect import connect, home_folder

    now = Clock(lambda: connect(application="aftersale clock")).now
    return Round(connect(application="aftersale watch"), signs, home_folder(), now, silent_s).turn


def _run(
    builds: dict[str, Callable[[], "Turn"]], stopping: threading.Event, stuck_s: float, silent_s: float
) -> None:
    """Each in a thread of its own until a signal asks to stop; a turn that runs is finished.

    A stage that hangs or ended by itself ends the process: whoever supervises it starts a fresh one.
    """
    from aftersale.config.log import flush
    from aftersale.health.pulse import Sign, trouble
    from aftersale.work import forever

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    signs = {stage: Sign(stage) for stage in (*builds, "watch")}
    builds = {**builds, "watch": lambda: watching(list(signs.values()), silent_s)}
    running = {
        stage: (
            signs[stage],
            threading.Thread(target=forever, args=(build, stopping, signs[stage]), daemon=True),
        )
        for stage, build in builds.items()
    }
    for _, thread in running.values():
        thread.start()
    while not stopping.wait(1.0):
        why = trouble(running, stuck_s)
        if why is not None and not stopping.is_set():
            logging.getLogger(__name__).critical("%s: this worker ends, to be started anew", why)
            flush()
            os._exit(STUCK)
    for _, thread in running.values():
        thread.join(30.0)
    _leave(list(signs.values()))


def _leave(signs: "Sequence[Sign]") -> None:
    import psycopg

    from aftersale.health.pulse import leave
    from aftersale.pg import Refused
    from aftersale.pg.connect import connect

    with contextlib.suppress(psycopg.Error, Refused), connect(application="aftersale work") as conn:
        leave(conn, signs)
