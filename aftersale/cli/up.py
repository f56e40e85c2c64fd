"""`aftersale up`."""

import os
import secrets
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from pathlib import Path

import click

from aftersale.cli import children, fail

PERSON = "xiaoming"
RESTARTS_MAX = 5
SHANGHAI = timezone(timedelta(hours=8))
STATIC_FACTS = ("DATABASE_URL", "DATABASE_OWNER_URL")


@click.command("up")
@click.option("--port", default=0, show_default=True, help="Port of the pages; 0 takes a free one.")
@click.option("--speed", default=120.0, show_default=True, help="Seconds of the demo day per second.")
@click.option("--applications", default=3000, show_default=True, help="Applications of the demo day.")
@click.option("--seed", default=7, show_default=True, help="The same seed makes the same day.")
@click.option("--shops", default=2, show_default=True, help="Shops of the demo.")
def command(port: int, speed: float, applications: int, seed: int, shops: int) -> None:
    """Everything on this machine: database, demo shops with live traffic, one worker, the pages.

    \b
    aftersale up                     prints one address and a login; Ctrl-C stops it all
    aftersale up --speed 600         the day passes in two and a half minutes
    """
    from aftersale.pg import Refused
    from aftersale.pg.connect import database_url, home_folder

    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stopping.set())
    try:
        click.echo("1/4 数据库 database …")
        environment = {
            **os.environ,
            "DATABASE_URL": database_url("app"),
            "DATABASE_OWNER_URL": database_url("owner"),
        }
        logs = home_folder() / "log"
        logs.mkdir(parents=True, exist_ok=True)
        subprocess.run(children.command("migrate"), env=environment, check=True, stdout=subprocess.DEVNULL)
    except Refused as refused:
        fail(refused.why)
    except subprocess.CalledProcessError:
        fail("数据库没有升级成功，原因见上面一行")
    day = [
        "--applications",
        str(applications),
        "--seed",
        str(seed),
        "--shops",
        str(shops),
        "--speed",
        str(speed),
    ]
    day += ["--start", _morning(), "--shop-prefix", _new_prefix()]
    with ExitStack() as stack:
        running: list[subprocess.Popen[str]] = []
        stack.callback(children.stop, running)
        worker = _start_all(running, environment, logs, port, day)
        while not stopping.wait(0.5):
            ended = [child for child in running if child.poll() is not None]
            if any(child is not worker.child for child in ended):
                fail(f"一个进程停了（{ended[0].pid}），原因见 {logs}")
            if ended and not worker.again(running):
                fail(f"工作进程一分钟内停了 {RESTARTS_MAX} 次以上，原因见 {logs}")
    click.echo("已停止。Stopped.")


class Worker:
    """The worker, and a fresh one for each that ended by itself (its watchdog does so, P10)."""

    def __init__(self, start: Callable[[], subprocess.Popen[str]]) -> None:
        self._start, self._ended = start, deque[float](maxlen=RESTARTS_MAX)
        self.child = start()

    def again(self, running: list[subprocess.Popen[str]]) -> bool:
        """Start a fresh one in its place in `running`; False when that happens too often."""
        now = time.monotonic()
        if len(self._ended) == RESTARTS_MAX and now - self._ended[0] < 60.0:
            return False
        self._ended.append(now)
        place = running.index(self.child)
        click.echo(
            f"  工作进程停了（退出码 {self.child.returncode}），重新启动。The worker ended and is started again."
        )
        running[place] = self.child = self._start()
        return True


def _morning() -> str:
    """Half past nine of the last morning in Shanghai: the demo begins before the ten o'clock peak."""
    now = datetime.now(SHANGHAI)
    at = now.replace(hour=9, minute=30, second=0, microsecond=0)
    return (at if at <= now else at - timedelta(days=1)).isoformat()


def _new_prefix() -> str:
    """The sandbox forgets when it stops, the record does not: each demo day has shops of its own."""
    from aftersale.demo import retire
    from aftersale.pg.connect import connect

    with connect(application="aftersale up") as conn:
        days = retire(conn)
    return "demo" if not days else f"demo{days + 1}-"


def _start_all(
    running: list[subprocess.Popen[str]],
    environment: Mapping[str, str],
    logs: Path,
    port: int,
    day: list[str],
) -> Worker:
    click.echo("2/4 页面 pages …")
    web = children.start(["web", "--port", str(port), "--json"], environment, logs / "web.log")
    running.append(web)
    url = children.address(web, logs / "web.log")
    click.echo("3/4 示例店铺 demo shops …")
    sandbox = children.start(
        ["sandbox", "--json", "--qps", "400", "--push-url", f"{url}/hooks", *day],
        environment,
        logs / "sandbox.log",
    )
    running.append(sandbox)
    password = _introduce(children.address(sandbox, logs / "sandbox.log"), environment)
    click.echo("4/4 工作进程 worker …")
    quick = ["--calls-per-s", "300", "--lease-s", "20", "--ask-after-s", "3", "--pull-every-s", "15"]
    worker = Worker(lambda: children.start(["work", *quick], environment, logs / "work.log"))
    running.append(worker.child)
    click.echo(
        f"\n  售后台 {url}\n  登录 login: {PERSON}    密码 password: {password}\n\n  Ctrl-C 停止。日志 logs: {logs}"
    )
    return worker


def _introduce(sandbox: str, environment: Mapping[str, str]) -> str:
    """Make the sandbox's shops and the demo person known, and the sandbox's time ours; the person's password."""
    os.environ.update({key: environment[key] for key in STATIC_FACTS})
    os.environ["DJANGO_SETTINGS_MODULE"] = "aftersale.config.settings"
    import django

    from aftersale.clock import follow
    from aftersale.demo import sandbox_shops
    from aftersale.pg.connect import check, connect
    from aftersale.sandbox.control import Control

    django.setup()
    from aftersale.people.accounts import ensure_user

    with Control(sandbox) as control, connect(application="aftersale up") as conn:
        check(conn)
        state = control.state()
        shops = [(shop.code, shop.platform, shop.session) for shop in state.shops]
        sandbox_shops(conn, sandbox, shops, state.now - timedelta(hours=1))
        state = control.state()
        follow(conn, state.now, state.speed)
    password = secrets.token_urlsafe(9)
    ensure_user(PERSON, password, {code: "owner" for code, _, _ in shops})
    return password
