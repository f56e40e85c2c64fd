"""After a restore, a copy or a silence nothing is sent before the platform was asked (P28, F52, F53)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aftersale import instance
from aftersale.cases import actions
from aftersale.pg.backup import restore, take
from aftersale.pg.connect import opened
from aftersale.pg.server import start
from tests.conftest import Database, _migrated
from tests.flow.desk import NOON, Desk, application, order
from tests.pg.cluster import Urls


@pytest.fixture
def desk(embedded_database: Database) -> Iterator[Desk]:
    desk = Desk(embedded_database)
    yield desk
    desk.close()


def last_seen(desk: Desk, ago: timedelta) -> None:
    """The last sign of life of all workers was so long ago."""
    seen = datetime.now(UTC) - ago
    desk.conn.execute("UPDATE instance SET changed_at = %s", (seen,))
    desk.conn.execute(
        "INSERT INTO worker (name, started_at, seen_at, doing) VALUES ('w', %s, %s, 'idle')"
        " ON CONFLICT (name) DO UPDATE SET seen_at = excluded.seen_at",
        (seen, seen),
    )
    desk.conn.commit()


def test_the_first_start_and_a_short_pause_change_nothing(desk: Desk, tmp_path: Path) -> None:
    assert instance.wake(desk.conn, tmp_path) is None
    last_seen(desk, timedelta(seconds=290))
    assert instance.wake(desk.conn, tmp_path) is None
    assert instance.state(desk.conn) == instance.State(None, None, True)
    assert desk.all("SELECT 1 FROM switch") == []


def test_after_a_silence_it_asks_first(desk: Desk, tmp_path: Path) -> None:
    instance.wake(desk.conn, tmp_path)
    last_seen(desk, timedelta(seconds=310))
    assert instance.wake(desk.conn, tmp_path) == instance.SILENT
    found = instance.state(desk.conn)
    assert found.since is not None
    assert (found.why, found.accepted) == (instance.WHYS[instance.SILENT], True)
    assert desk.all("SELECT 1 FROM switch") == []
    again = instance.wake(desk.conn, tmp_path)
    assert again is None or instance.state(desk.conn).since == found.since


def test_a_database_behind_its_stamp_asks_first(desk: Desk, tmp_path: Path) -> None:
    instance.wake(desk.conn, tmp_path)
    instance.stamp(desk.conn, tmp_path)
    assert instance.wake(desk.conn, tmp_path) is None
    text = (tmp_path / instance.STAMP).read_text("utf-8")
    position = int(text.split('"position": ')[1].rstrip("}"))
    (tmp_path / instance.STAMP).write_text(text.replace(str(position), str(position + 10**9)), "utf-8")
    assert instance.wake(desk.conn, tmp_path) == instance.BEHIND
    (tmp_path / instance.STAMP).write_text("broken", "utf-8")
    assert instance.wake(desk.conn, tmp_path) is None


def test_a_copy_sends_nothing_until_a_person_accepts_it(desk: Desk, tmp_path: Path) -> None:
    instance.wake(desk.conn, tmp_path)
    desk.conn.execute("UPDATE instance SET fingerprint = 'another server'")
    desk.conn.commit()
    assert instance.wake(desk.conn, tmp_path) == instance.COPIED
    assert desk.one("SELECT stopped, by_whom FROM switch WHERE shop_id = 0 AND action = ''") == (
        True,
        instance.BY,
    )
    assert instance.settle_reconcile(desk.conn, NOON) is False
    assert instance.wake(desk.conn, tmp_path) == instance.COPIED
    assert instance.accept(desk.conn, tmp_path, "店主", NOON) is True
    assert desk.one("SELECT stopped, by_whom FROM switch WHERE shop_id = 0 AND action = ''") == (
        False,
        "店主",
    )
    assert instance.state(desk.conn).since is not None, "accepting does not replace asking"
    assert instance.settle_reconcile(desk.conn, NOON) is True
    assert instance.wake(desk.conn, tmp_path) is None
    assert instance.accept(desk.conn, tmp_path, "店主", NOON) is False


def test_accepting_keeps_what_a_person_stopped(desk: Desk, tmp_path: Path) -> None:
    instance.wake(desk.conn, tmp_path)
    actions.set_switch(desk.conn, 0, "", True, "大促盘点", "主管阿兰", NOON)
    desk.conn.execute("UPDATE instance SET fingerprint = 'another server'")
    desk.conn.commit()
    assert instance.accept(desk.conn, tmp_path, "店主", NOON) is True
    assert desk.one("SELECT stopped, by_whom FROM switch WHERE shop_id = 0 AND action = ''") == (
        True,
        "主管阿兰",
    )


def with_door(desk: Desk) -> None:
    desk.conn.execute(
        "UPDATE shop SET base_url = 'http://127.0.0.1:1', app_key = 'k', app_secret = 's', session_key = 't'"
    )
    desk.conn.execute(
        "INSERT INTO pull_cursor (shop_id, kind, since) VALUES (1, 'refunds', moment() - interval '1 hour')"
    )
    desk.conn.commit()


def pulled(desk: Desk, ahead: timedelta) -> None:
    desk.conn.execute("UPDATE pull_cursor SET since = (SELECT reconcile_moment FROM instance) + %s", (ahead,))
    desk.conn.commit()


def reconciling(desk: Desk, home: Path) -> None:
    instance.wake(desk.conn, home)
    last_seen(desk, timedelta(hours=1))
    assert instance.wake(desk.conn, home) == instance.SILENT


def test_it_sends_again_when_the_pull_has_passed_and_all_money_was_asked_about(
    desk: Desk, tmp_path: Path
) -> None:
    with_door(desk)
    desk.tell(order(), application())
    assert desk.one("SELECT state FROM intent WHERE money") == "approved"
    reconciling(desk, tmp_path)
    assert not instance.settle_reconcile(desk.conn, NOON), "neither pulled nor asked"
    pulled(desk, timedelta(0))
    desk.conn.execute("UPDATE intent SET asked_at = clock_timestamp()")
    desk.conn.commit()
    assert not instance.settle_reconcile(desk.conn, NOON), "the cursor must have passed, not only reached it"
    pulled(desk, timedelta(seconds=1))
    desk.conn.execute("UPDATE intent SET asked_at = (SELECT reconcile_since FROM instance)")
    desk.conn.commit()
    assert not instance.settle_reconcile(desk.conn, NOON), "asked before, not since"
    desk.conn.execute("UPDATE intent SET asked_at = clock_timestamp()")
    desk.conn.commit()
    assert instance.settle_reconcile(desk.conn, NOON)
    assert instance.state(desk.conn) == instance.State(None, None, True)
    assert not instance.settle_reconcile(desk.conn, NOON)


def test_money_planned_since_waits_for_news_of_its_case(desk: Desk, tmp_path: Path) -> None:
    with_door(desk)
    reconciling(desk, tmp_path)
    pulled(desk, timedelta(seconds=1))
    desk.tell(order(), application())
    desk.conn.execute("UPDATE intent SET created_at = moment() + interval '1 second'")
    desk.conn.execute("INSERT INTO to_fetch (shop_id, kind, external_id) VALUES (1, 'application', 'R1')")
    desk.conn.commit()
    assert not instance.settle_reconcile(desk.conn, NOON)
    desk.conn.execute(
        "UPDATE cases SET first_seen_at = (SELECT reconcile_moment + interval '1 second' FROM instance)"
    )
    desk.conn.commit()
    assert instance.settle_reconcile(desk.conn, NOON), "what came up since is fresh"


def test_bodies_from_before_are_read_first(desk: Desk, tmp_path: Path) -> None:
    reconciling(desk, tmp_path)
    desk.conn.execute(
        "WITH a AS (INSERT INTO arrival (shop_id, source, body, received_at)"
        " VALUES (1, 'taobao.refund', '', now() - interval '1 hour') RETURNING id)"
        " INSERT INTO arrival_todo (arrival_id) SELECT id FROM a"
    )
    desk.conn.commit()
    assert not instance.settle_reconcile(desk.conn, NOON)
    desk.conn.execute("DELETE FROM arrival_todo")
    desk.conn.commit()
    assert instance.settle_reconcile(desk.conn, NOON)


def test_a_restored_home_is_known_as_such(tmp_path: Path) -> None:
    """The timeline of a restored server is another one, and its folder, too."""
    home, folder = tmp_path / "home", tmp_path / "backup"
    with start(home) as server:
        urls = _migrated(Urls(server.url("admin"), server.url("owner"), server.url("app")))
        with opened(urls.app) as conn:
            assert instance.wake(conn, home) is None
            instance.stamp(conn, home)
        take(home, folder)
    restore(folder, tmp_path / "new")
    with start(tmp_path / "new") as server, opened(server.url("app")) as conn:
        assert instance.wake(conn, tmp_path / "new") == instance.COPIED
        assert instance.state(conn).accepted is False
