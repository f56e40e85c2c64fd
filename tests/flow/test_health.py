"""Each thing that can be wrong has its line, within a minute, and the doors tell it also when the database is away (P29)."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from aftersale import instance
from aftersale.cases import actions
from aftersale.health.door import HealthDoor
from aftersale.health.findings import Finding, findings
from aftersale.health.pulse import Sign, beat
from aftersale.health.reader import Reader
from aftersale.health.state import read
from aftersale.health.words import SAID
from aftersale.pg.connect import opened
from tests.conftest import Database
from tests.flow.desk import NOON, Desk, application, order

STAGES = ("decide", "act", "pull")


@pytest.fixture
def desk(embedded_database: Database) -> Iterator[Desk]:
    desk = Desk(embedded_database)
    yield desk
    desk.close()


def real(desk: Desk) -> datetime:
    now: datetime = desk.one("SELECT clock_timestamp()")
    return now


def alive(desk: Desk, *stages: str) -> None:
    beat(desk.conn, [Sign(stage) for stage in stages or STAGES])


def found(desk: Desk, home: Path, ahead: timedelta = timedelta(0)) -> dict[str, Finding]:
    """What is wrong that much later, the workers of now still alive."""
    now = real(desk) + ahead
    desk.conn.execute(
        "UPDATE worker SET seen_at = %s WHERE seen_at > %s", (now, now - ahead - timedelta(seconds=5))
    )
    desk.conn.commit()
    return {one.code: one for one in findings(read(desk.conn, home, now))}


def with_door(desk: Desk) -> None:
    desk.conn.execute(
        "UPDATE shop SET base_url = 'http://127.0.0.1:1', app_key = 'k', app_secret = 's', session_key = 't'"
    )
    desk.conn.commit()


def test_all_is_well(desk: Desk, tmp_path: Path) -> None:
    alive(desk)
    assert list(found(desk, tmp_path)) == ["no_backup"]


def test_every_line_has_its_sentences_and_is_explained() -> None:
    explained = (Path(__file__).parents[2] / "docs/operation.md").read_text("utf-8")
    given = {name: name for name in ("n", "stage", "shop", "reason", "why", "free")}
    for code in SAID:
        told = Finding(code, "note", given=given).told()
        assert set(told) == {"what", "do", "what_en", "do_en"}
        assert all(told.values()), code
        of_a_kind = code.startswith("unserved_") or code == "breaker_shop"
        assert of_a_kind or f"`{code}`" in explained, code


def test_no_worker(desk: Desk, tmp_path: Path) -> None:
    assert found(desk, tmp_path)["no_worker"].level == "critical"
    alive(desk)
    desk.conn.execute("UPDATE worker SET seen_at = seen_at - interval '40 seconds'")
    desk.conn.commit()
    assert 39 < (found(desk, tmp_path)["no_worker"].since_s or 0) < 60


def arrived(desk: Desk) -> None:
    desk.conn.execute(
        "WITH a AS (INSERT INTO arrival (shop_id, source, body) VALUES (1, 'taobao.refund', '{}') RETURNING id)"
        " INSERT INTO arrival_todo (arrival_id) SELECT id FROM a"
    )
    desk.conn.commit()


def test_alive_but_idle_is_noticed_within_a_minute(desk: Desk, tmp_path: Path) -> None:
    alive(desk)
    arrived(desk)
    assert "idle_arrival" not in found(desk, tmp_path, timedelta(seconds=55))
    assert found(desk, tmp_path, timedelta(seconds=62))["idle_arrival"].level == "critical"


def test_a_missing_stage_is_told_apart(desk: Desk, tmp_path: Path) -> None:
    alive(desk, "act", "pull")
    arrived(desk)
    late = found(desk, tmp_path, timedelta(seconds=62))
    assert "unserved_arrival" in late
    assert "idle_arrival" not in late
    told = late["unserved_arrival"].told()
    assert "aftersale work --only decide" in told["do"]
    assert "aftersale work --only decide" in told["do_en"]


def test_approved_money_that_is_not_sent(desk: Desk, tmp_path: Path) -> None:
    with_door(desk)
    desk.tell(order(), application())
    desk.conn.execute("UPDATE intent SET due_at = moment()")
    desk.conn.commit()
    alive(desk)
    assert "idle_intent" in found(desk, tmp_path, timedelta(seconds=62))
    actions.set_switch(desk.conn, 1, "", True, "停一下", "主管阿兰", NOON)
    held = found(desk, tmp_path, timedelta(seconds=62))
    assert "idle_intent" not in held, "what a person stopped is not idle"
    assert held["stopped"].level == "note"


def test_unknown_for_long(desk: Desk, tmp_path: Path) -> None:
    with_door(desk)
    desk.tell(order(), application())
    alive(desk)
    desk.conn.execute("UPDATE intent SET state = 'sending' WHERE money")
    desk.conn.execute("UPDATE intent SET state = 'unknown' WHERE state = 'sending'")
    desk.conn.commit()
    assert "unknown_old" not in found(desk, tmp_path, timedelta(seconds=290))
    assert "unknown_old" in found(desk, tmp_path, timedelta(seconds=310))


def test_a_stuck_turn_and_a_worker_that_is_gone(desk: Desk, tmp_path: Path) -> None:
    sign = Sign("decide")
    sign.since = sign.started
    beat(desk.conn, [sign])
    assert "worker_stuck" in found(desk, tmp_path, timedelta(seconds=61))
    desk.conn.execute(
        "INSERT INTO worker (name, stage, started_at, seen_at, doing) SELECT 'other:7:act', 'act', now() - interval '1 h',"
        " now() - interval '90 s', 'idle'"
    )
    desk.conn.commit()
    assert 89 < (found(desk, tmp_path)["worker_gone"].since_s or 0) < 120


def test_breakers_parked_and_a_copy(desk: Desk, tmp_path: Path) -> None:
    alive(desk)
    actions.set_switch(desk.conn, 1, "automatic_money", True, "一小时内超过上限", "breaker:count", NOON)
    desk.conn.execute("INSERT INTO parked (shop_id, source, place, why, raw) VALUES (1, 's', 'p', 'w', '')")
    desk.conn.execute(
        "INSERT INTO instance (fingerprint, reconcile_since, accepted) VALUES (%s, clock_timestamp(), false)",
        (instance.fingerprint(desk.conn, tmp_path),),
    )
    desk.conn.commit()
    wrong = found(desk, tmp_path)
    told = wrong["breaker_open"].told()
    assert told["what"] == "ming 的自动付款停了：一小时内超过上限"
    assert told["what_en"] == "ming stopped automatic payment by itself (count)"
    assert (wrong["parked"].level, wrong["copy_unaccepted"].level) == ("note", "critical")
    assert next(iter(wrong)) == "copy_unaccepted", "worst first"
    desk.conn.execute("UPDATE instance SET accepted = true")
    desk.conn.commit()
    assert "reconcile_only" in found(desk, tmp_path)
    desk.conn.execute("UPDATE instance SET fingerprint = 'elsewhere'")
    desk.conn.commit()
    assert "copy_unaccepted" in found(desk, tmp_path), "also before any worker has noticed"


def test_a_reading_takes_a_few_milliseconds(desk: Desk, tmp_path: Path) -> None:
    """No part of it reads a table from end to end that grows with the shop's history."""
    from aftersale.health.state import SQL

    grown = {
        "cases",
        "intent",
        "decision",
        "happening",
        "arrival",
        "ledger",
        "inbox",
        "orders",
        "parcel",
        "look",
    }
    desk.conn.execute("SET enable_seqscan = off")
    for name in ("ages", "counts"):
        query = SQL[name].replace("%(now)s", "clock_timestamp()")
        plan = desk.one(f"EXPLAIN (FORMAT JSON) {query}")
        assert not grown & set(_scanned(plan[0]["Plan"])), name


def _scanned(plan: dict[str, Any]) -> Iterator[str]:
    if plan["Node Type"] == "Seq Scan":
        yield plan["Relation Name"]
    for part in plan.get("Plans", ()):
        yield from _scanned(part)


def passed(desk: Desk, cause: str) -> None:
    """Both clocks of the case have passed; noticed once, with this cause, on the timeline, too."""
    late = NOON + timedelta(hours=49)
    with desk.conn.transaction():
        assert actions.notice_deadlines(desk.conn, late - timedelta(days=7), late) >= 1
        assert actions.notice_deadlines(desk.conn, late - timedelta(days=7), late) == 0
    assert set(desk.all("SELECT cause FROM missed_deadline WHERE kind = 'platform'")) == {cause}
    assert (
        len(desk.all("SELECT what FROM happening WHERE kind = 'deadline' AND what LIKE 'platform %%'")) == 1
    )


def lived(desk: Desk, started: timedelta, seen: timedelta) -> None:
    """A worker lived so long before and until so long after the platform's deadline."""
    due = NOON + timedelta(hours=48)
    desk.conn.execute(
        "INSERT INTO worker (name, stage, started_at, seen_at, doing) VALUES ('h:1:act', 'act', %s, %s, 'idle')",
        (due - started, due + seen),
    )
    desk.conn.commit()


def test_missed_because_nothing_ran(desk: Desk) -> None:
    lived(desk, timedelta(hours=9), timedelta(hours=-1, minutes=-31))
    desk.tell(order(), application())
    passed(desk, "down")


def test_missed_though_it_ran_long_enough(desk: Desk) -> None:
    lived(desk, timedelta(hours=9), timedelta(hours=-1, minutes=-29))
    desk.tell(order(), application())
    passed(desk, "slow")


def test_missed_because_a_switch_held_it(desk: Desk) -> None:
    lived(desk, timedelta(hours=9), timedelta(0))
    desk.tell(order(), application())
    actions.set_switch(desk.conn, 1, "", True, "停", "主管阿兰", NOON)
    passed(desk, "stopped")


def test_missed_because_a_person_did_not_act(desk: Desk) -> None:
    lived(desk, timedelta(hours=9), timedelta(0))
    desk.tell(order(), application(amount_fen=9_999_00, reason="quality"))
    desk.conn.execute(
        "INSERT INTO queue_item (shop_id, case_id, queue, due_at, since) VALUES (1, 'R1', 'review', %s, %s)"
        " ON CONFLICT DO NOTHING",
        (NOON + timedelta(hours=48), NOON),
    )
    desk.conn.commit()
    passed(desk, "person")


def test_what_arrives_past_its_deadline_is_not_our_miss(desk: Desk, tmp_path: Path) -> None:
    desk.now = NOON + timedelta(hours=48, minutes=30)
    desk.tell(order(), application())
    passed(desk, "arrived_late")
    alive(desk)
    assert "deadlines_missed" not in found(desk, tmp_path)


def test_a_demo_that_ended_misses_nothing(desk: Desk, tmp_path: Path) -> None:
    lived(desk, timedelta(hours=9), timedelta(0))
    desk.tell(order(), application())
    desk.conn.execute("UPDATE shop SET app_key = '12345678'")
    desk.conn.execute("UPDATE intent SET state = 'sending' WHERE money")
    desk.conn.execute("UPDATE intent SET state = 'unknown' WHERE state = 'sending'")
    desk.conn.commit()
    late = NOON + timedelta(hours=49)
    with desk.conn.transaction():
        assert actions.notice_deadlines(desk.conn, late - timedelta(days=7), late) == 0
    alive(desk)
    actions.set_switch(desk.conn, 1, "automatic_money", True, "一小时内超过上限", "breaker:count", NOON)
    assert not {"unknown_old", "breaker_open"} & found(desk, tmp_path, timedelta(hours=1)).keys()


def test_a_finished_case_misses_nothing(desk: Desk) -> None:
    desk.tell(order(), application())
    desk.tell(application(version=2, state="refunded"))
    late = NOON + timedelta(hours=49)
    with desk.conn.transaction():
        assert actions.notice_deadlines(desk.conn, late - timedelta(days=7), late) == 0


class Answer:
    """One request through the door."""

    def __init__(self, door: HealthDoor, path: str, client: str = "127.0.0.1", **headers: str) -> None:
        self.status, self.body = 0, b""
        scope = {
            "type": "http", "method": "GET", "path": path, "client": (client, 1),
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
        }  # fmt: skip

        async def send(message: Any) -> None:
            self.status = message.get("status", self.status)
            self.body += message.get("body", b"")

        async def receive() -> Any:
            raise AssertionError

        asyncio.run(door(scope, receive, send))


async def elsewhere(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 418, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def the_door(database: Database, home: Path, token: str = "") -> HealthDoor:
    return HealthDoor(elsewhere, Reader(lambda: opened(database.app), home), token)


def test_the_health_page(desk: Desk, tmp_path: Path) -> None:
    door = the_door(desk.database, tmp_path)
    sick = Answer(door, "/health", client="8.8.8.8")
    assert (sick.status, json.loads(sick.body)) == (503, {"ok": False, "wrong": ["no_worker"]})
    alive(desk)
    well = Answer(the_door(desk.database, tmp_path), "/health")
    assert (well.status, json.loads(well.body)) == (200, {"ok": True, "wrong": []})
    assert Answer(door, "/queue").status == 418


def test_the_metrics(desk: Desk, tmp_path: Path) -> None:
    alive(desk)
    arrived(desk)
    text = Answer(the_door(desk.database, tmp_path), "/metrics").body.decode()
    assert "aftersale_up 1.0" in text
    assert 'aftersale_workers{stage="act"} 1.0' in text
    assert 'aftersale_items{kind="arrivals"} 1.0' in text
    assert 'aftersale_finding{code="no_backup",level="note"} 1.0' in text


def test_who_may_read_the_metrics(desk: Desk, tmp_path: Path) -> None:
    door = the_door(desk.database, tmp_path)
    assert Answer(door, "/metrics", client="10.0.0.7").status == 403
    assert Answer(door, "/metrics", x_forwarded_for="10.0.0.7").status == 403
    assert Answer(door, "/metrics", client="::1").status == 200
    guarded = the_door(desk.database, tmp_path, "secret")
    assert Answer(guarded, "/metrics").status == 403
    assert Answer(guarded, "/metrics", authorization="Bearer wrong").body == b""
    assert Answer(guarded, "/metrics", client="10.0.0.7", authorization="Bearer secret").status == 200


def test_the_database_is_away(tmp_path: Path) -> None:
    nobody = Database("postgresql://x@127.0.0.1:1/x", "postgresql://x@127.0.0.1:1/x")
    door = the_door(nobody, tmp_path)
    began = datetime.now(UTC)
    answer = Answer(door, "/health")
    assert (answer.status, json.loads(answer.body)) == (503, {"ok": False, "wrong": ["database_away"]})
    assert datetime.now(UTC) - began < timedelta(seconds=3)
    assert b"aftersale_up 0.0" in Answer(door, "/metrics").body


def test_a_database_that_hangs_does_not_hang_the_page(tmp_path: Path) -> None:
    """A lock that the reading waits for stands for any database that does not answer."""

    class Hanging(Reader):
        def report(self) -> Any:
            import time

            time.sleep(3.0)
            return super().report()

    def away() -> psycopg.Connection:
        raise psycopg.OperationalError

    began = datetime.now(UTC)
    status = 0

    async def ask() -> None:
        nonlocal status
        door = HealthDoor(elsewhere, Hanging(away, tmp_path))

        async def send(message: Any) -> None:
            nonlocal status
            status = message.get("status", status)

        await door({"type": "http", "method": "GET", "path": "/health", "headers": []}, None, send)  # type: ignore[arg-type]
        assert datetime.now(UTC) - began < timedelta(seconds=2.9)

    asyncio.run(ask())
    assert status == 503
