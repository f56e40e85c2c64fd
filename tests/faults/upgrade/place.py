"""One database, a sandbox that pushes, and real processes of two releases; who did what is written down by triggers."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import psycopg
from psycopg.types.json import Jsonb

from aftersale.cli import children
from aftersale.clock import follow
from aftersale.demo import sandbox_shops
from aftersale.pg.connect import opened
from tests.conftest import ROOT, Database
from tests.faults.judge import Applied, Finding, Paid, Theirs, judge, refusals
from tests.faults.real.place import PATIENT, QUICK, Acknowledged
from tests.faults.real.proxy import Proxy
from tests.faults.real.run import FINAL, STORED, WAITING
from tests.faults.real.wire import Http
from tests.faults.real.zygote import die_with_parent
from tests.flow.desk import staff
from tests.sandbox.running import START, Running, running

Name = Literal["old", "new"]
PATIENCE_S = 90.0  # beside a busy machine it takes long
SPEED = 400.0
# Some answers of the platform are lost, so that one release asks about what the other has sent.
TROUBLE = {
    "seed": 5,
    "rules": [{"match": {"method": "taobao.rp.refunds.agree", "p": 0.2}, "do": {"drop_after": True}}],
    "push": {"duplicate_p": 0.2, "reorder_p": 0.2},
}
# Which release's session did it: its URL says so.
WITNESS = """
CREATE SCHEMA witness;
CREATE TABLE witness.act (id bigint GENERATED ALWAYS AS IDENTITY, release text, table_name text, case_id text, kind text, state text);
CREATE FUNCTION witness.saw() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  INSERT INTO witness.act (release, table_name, case_id, kind, state) VALUES (current_setting('witness.release', true),
    TG_TABLE_NAME, NEW.case_id, to_jsonb(NEW) ->> 'kind', to_jsonb(NEW) ->> 'state');
  RETURN NULL;
END $$;
CREATE TRIGGER witness AFTER UPDATE ON intent FOR EACH ROW WHEN (NEW.state <> OLD.state) EXECUTE FUNCTION witness.saw();
CREATE TRIGGER witness AFTER INSERT ON decision FOR EACH ROW EXECUTE FUNCTION witness.saw();
"""


@dataclass
class Process:
    """One process of a release, and where its log is."""

    release: Name
    popen: "subprocess.Popen[str]"
    log: Path
    told: bool = False

    def end(self) -> int:
        """As a supervisor does: SIGTERM, and its exit code."""
        self.told = True
        self.popen.send_signal(signal.SIGTERM)
        return self.popen.wait(PATIENCE_S)

    def kill(self) -> None:
        self.told = True
        self.popen.kill()
        self.popen.wait()


class Place:
    """What runs. `code`: where each release's package lies."""

    def __init__(self, home: Path, database: Database, code: dict[Name, Path], stack: ExitStack) -> None:
        self.home, self.database, self.code, self._stack = home, database, code, stack
        self.acknowledged = Acknowledged()
        self.door = ("127.0.0.1", 1)
        self.processes: list[Process] = []
        self._web: Process | None = None
        stack.callback(self._end_all)

    def environment(self, release: Name) -> dict[str, str]:
        mark = f"?options=-c%20witness.release%3D{release}"
        urls = Database(self.database.owner + mark, self.database.app + mark)
        return {**urls.environment(), "AFTERSALE_HOME": str(self.home), "PYTHONPATH": str(self.code[release])}

    def run(self, release: Name, *asked: str) -> str:
        """A command of that release, to its end; what it printed."""
        done = subprocess.run(
            [sys.executable, *asked], cwd=self.code[release], env=self.environment(release), text=True,
            capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, release: Name, *asked: str) -> Process:
        log = self.home / f"{release}-{asked[0]}-{len(self.processes)}.log"
        with log.open("ab") as told:
            popen = subprocess.Popen(
                [sys.executable, "-m", "aftersale", *asked], cwd=self.code[release], text=True, stderr=told,
                env=self.environment(release), stdout=subprocess.PIPE, preexec_fn=die_with_parent,  # noqa: PLW1509
            )  # fmt: skip
        made = Process(release, popen, log)
        self.processes.append(made)
        return made

    def worker(self, release: Name) -> Process:
        return self.start(release, "work", *QUICK)

    def open_door(self, release: Name) -> None:
        """From now on pushes come to a `web` of this release; the one before ends."""
        before, self._web = self._web, self.start(release, "web", "--port", "0", "--json")
        there = urlsplit(children.address(self._web.popen, self._web.log))
        self.door = (str(there.hostname), there.port or 0)
        if before:
            assert before.end() == -signal.SIGTERM  # as uvicorn ends

    def _end_all(self) -> None:
        for one in self.processes:
            if one.popen.poll() is None:
                one.kill()

    def open_shops(self, sandbox: Running) -> None:
        """The sandbox's shops with their people, and the witness."""
        self.sandbox, self.control = sandbox, sandbox.control
        shops = [(shop.code, shop.platform, shop.session) for shop in self.control.state().shops]
        with opened(self.database.owner) as conn:
            conn.execute(WITNESS)
            ids = sandbox_shops(conn, sandbox.url, shops, START)
            conn.execute("UPDATE shop SET settings = settings || %s", (Jsonb(PATIENT),))
            for shop_id in ids:
                staff(conn, shop_id)
        self.shops = dict(zip((code for code, *_ in shops), ids, strict=True))
        self.judge = self._stack.enter_context(psycopg.connect(self.database.owner, autocommit=True))
        self.control.faults(TROUBLE)
        self.speed(SPEED)

    def speed(self, speed: float) -> None:
        state = self.control.speed(speed)
        with opened(self.database.app) as conn:
            follow(conn, state.now, speed)

    def all(self, query: str, *values: object) -> list[Any]:
        rows = self.judge.execute(query.encode(), values).fetchall()
        return [row[0] if len(row) == 1 else row for row in rows]

    def sight(self) -> int:
        """Where the witness is now."""
        return int(self.all("SELECT coalesce(max(id), 0) FROM witness.act")[0])

    def decided(self, release: Name, since: int) -> int:
        """How many decisions that release has made since then."""
        query = "SELECT count(*) FROM witness.act WHERE id > %s AND (release, table_name) = (%s, 'decision')"
        return int(self.all(query, since, release)[0])

    def did(self, release: Name, since: int, kind: str = "agree_refund", state: str = "done") -> int:
        """How many intents of the kind that release brought into the state since then."""
        query = "SELECT count(*) FROM witness.act WHERE id > %s AND (release, kind, state) = (%s, %s, %s)"
        return int(self.all(query, since, release, kind, state)[0])

    def until(self, holds: Callable[[], object], patience_s: float = PATIENCE_S) -> None:
        """Wait for it; nobody who was not told to end may end meanwhile."""
        ends = time.monotonic() + patience_s
        while not holds():
            assert time.monotonic() < ends, f"it never came about, {self.told()}"
            assert not self.fallen(), self.told()
            time.sleep(0.02)

    def fallen(self) -> list[Process]:
        """Who ended without having been told to."""
        return [one for one in self.processes if not one.told and one.popen.poll() is not None]

    def told(self) -> str:
        states = self.all(
            "SELECT release, kind, state, count(*) FROM witness.act GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
        )
        logs = "\n".join(f"{one.log.name}: {one.log.read_text()[-2000:]}" for one in self.processes)
        return f"{states}\n{self.control.state()}\n{logs}"

    def complaints(self) -> list[str]:
        """What any process logged as an error."""
        lines = [line for one in self.processes for line in one.log.read_text("utf-8").splitlines()]
        return [line for line in lines if re.search(r" ERROR | CRITICAL |Traceback|turn failed", line)]

    def rest(self) -> list[Finding]:
        """What is still wrong when nothing moves any more."""
        found = [Finding("P2", "it never came to rest")]
        ends = time.monotonic() + PATIENCE_S
        while found and time.monotonic() < ends:
            state = self.control.state()
            if self.all(WAITING) == [0] and not state.pushes_waiting and not state.behind:
                theirs = self.theirs()
                found = [*judge(self.judge, theirs), *refusals(self.judge, theirs.applications)]
            time.sleep(0.05)
        return found

    def theirs(self) -> Theirs:
        payments = [Paid(one.refund_id, one.amount_fen) for one in self.control.ledger()]
        rows = self.control.applications()
        return Theirs(payments, [
            Applied(str(r["refund_id"]), int(r["refund_version"]), r["status"] in FINAL, None, refused(r)) for r in rows
        ])  # fmt: skip

    def lost(self) -> int:
        """Bodies that a door acknowledged more often than they are in the record (P7)."""
        acknowledged = dict(self.acknowledged.bodies)
        stored = {bytes(body): times for body, times in self.all(STORED, 0)}
        return sum(stored.get(body, 0) < times for body, times in acknowledged.items())


def refused(row: dict[str, Any]) -> int:
    """How often the platform was told to refuse it."""
    count = re.search(r"refuse_count:(\d+)", str(row["attribute"]))
    return int(count[1]) if count else 0


@contextmanager
def place(home: Path, database: Database, old: Path, applications: int) -> Iterator[Place]:
    """On an empty database, which the old release migrates; its door is open, none of its workers is started."""
    with ExitStack() as stack:
        made = Place(home, database, {"old": old, "new": ROOT}, stack)
        made.run("old", "-m", "aftersale", "migrate")
        pushes = stack.enter_context(Proxy(lambda: made.door, lambda: Http("push", made.acknowledged.seen)))
        options = ("--applications", str(applications), "--shops", "2", "--qps", "2000", "--push-url",
                   f"http://127.0.0.1:{pushes.port}/hooks")  # fmt: skip
        sandbox = stack.enter_context(running(*options))
        made.open_door("old")
        made.open_shops(sandbox)
        yield made
