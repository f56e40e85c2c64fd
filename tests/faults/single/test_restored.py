"""Ways in which an old state of the database could come back to life and pay again (F52, F53)."""

import shutil
from pathlib import Path

import pytest

from aftersale import instance
from aftersale.cases import actions
from aftersale.pg.connect import opened
from aftersale.pg.server import start
from tests.conftest import _migrated
from tests.flow.desk import NOON, Desk, application, order
from tests.flow.test_instance import reconciling, with_door
from tests.pg.cluster import Urls

UNASKED = """SELECT count(*) FROM intent i JOIN instance n ON n.reconcile_since IS NOT NULL
  WHERE i.money AND (i.asked_at > n.reconcile_since) IS NOT TRUE"""


@pytest.fixture
def asked(desk: Desk, tmp_path: Path) -> Desk:
    """One refund to be sent, by a shop that asks before it sends, and has asked."""
    with_door(desk)
    desk.tell(order(), application())
    reconciling(desk, tmp_path)
    desk.conn.execute("UPDATE intent SET asked_at = clock_timestamp()")
    desk.conn.commit()
    assert desk.one(UNASKED) == 0
    return desk


def test_what_was_asked_before_a_backup_is_asked_again_after_its_restore(asked: Desk, tmp_path: Path) -> None:
    """The backup was taken while it was asking: between backup and restore it has sent what it had asked about."""
    instance.stamp(asked.conn, tmp_path)
    stamp = tmp_path / instance.STAMP
    text = stamp.read_text("utf-8")
    position = int(text.split('"position": ')[1].rstrip("}"))
    stamp.write_text(text.replace(str(position), str(position + 10**9)), "utf-8")
    assert instance.wake(asked.conn, tmp_path) == instance.BEHIND
    assert asked.one(UNASKED) == 1


def test_what_a_copy_asked_before_it_was_accepted_is_asked_again(asked: Desk, tmp_path: Path) -> None:
    """While it waited for a person's word the first one went on sending."""
    asked.conn.execute("UPDATE instance SET fingerprint = 'another server'")
    asked.conn.commit()
    assert instance.wake(asked.conn, tmp_path) == instance.COPIED
    asked.conn.execute("UPDATE intent SET asked_at = clock_timestamp()")
    asked.conn.commit()
    assert asked.one(UNASKED) == 0
    assert instance.accept(asked.conn, tmp_path, "店主", NOON) is True
    assert asked.one(UNASKED) == 1
    assert not instance.settle_reconcile(asked.conn, NOON)


def test_what_waits_for_a_second_person_waits_for_the_platforms_news(desk: Desk, tmp_path: Path) -> None:
    """The second person may have agreed after the backup; here they are asked once more."""
    with_door(desk)
    desk.tell(order(paid_fen=50_000), application(amount_fen=30_000))
    assert actions.person_intent(desk.conn, 1, "R1", "agree_refund", 30_000, 1, "客服小明", desk.now) is None
    assert desk.one("SELECT state FROM intent WHERE money") == "planned"
    reconciling(desk, tmp_path)
    desk.conn.execute(
        "UPDATE pull_cursor SET since = (SELECT reconcile_moment + interval '1 s' FROM instance)"
    )
    desk.conn.execute("INSERT INTO to_fetch (shop_id, kind, external_id) VALUES (1, 'application', 'R1')")
    desk.conn.commit()
    assert not instance.settle_reconcile(desk.conn, NOON)
    desk.conn.execute("DELETE FROM to_fetch")
    desk.conn.commit()
    assert instance.settle_reconcile(desk.conn, NOON)


def test_an_old_message_of_a_case_that_the_backup_does_not_know_sends_nothing(
    desk: Desk, tmp_path: Path
) -> None:
    """It was paid after the backup; its first message comes once more, the newer state is still to be fetched."""
    with_door(desk)
    reconciling(desk, tmp_path)
    desk.conn.execute(
        "UPDATE pull_cursor SET since = (SELECT reconcile_moment + interval '1 s' FROM instance)"
    )
    desk.tell(order(), application())
    desk.conn.execute("UPDATE cases SET first_seen_at = moment() + interval '1 s'")
    desk.conn.execute("UPDATE intent SET created_at = moment() + interval '1 s'")
    desk.conn.execute(
        "INSERT INTO to_fetch (shop_id, kind, external_id, version) VALUES (1, 'application', 'R1', 2)"
    )
    desk.conn.commit()
    assert not instance.settle_reconcile(desk.conn, NOON)
    desk.conn.execute("UPDATE intent SET asked_at = clock_timestamp()")
    desk.conn.commit()
    assert instance.settle_reconcile(desk.conn, NOON)


def test_a_copy_at_the_same_path_of_another_machine_is_a_copy(tmp_path: Path) -> None:
    """Same server, same timeline, same database, same path: only the folder is another one."""
    home, aside = tmp_path / "home", tmp_path / "aside"
    with start(home) as server:
        urls = _migrated(Urls(server.url("admin"), server.url("owner"), server.url("app")))
        with opened(urls.app) as conn:
            assert instance.wake(conn, home) is None
            instance.stamp(conn, home)
    with start(home) as server, opened(server.url("app")) as conn:
        assert instance.wake(conn, home) is None
    home.rename(aside)
    _copied(aside, home)
    with start(home) as server, opened(server.url("app")) as conn:
        assert instance.wake(conn, home) == instance.COPIED
        assert conn.execute("SELECT stopped FROM switch WHERE shop_id = 0 AND action = ''").fetchone() == (
            True,
        )


def _copied(there: Path, here: Path) -> None:
    """As `cp -a`, whoever runs the server."""
    shutil.copytree(there, here)
    for old in (there, *there.rglob("*")):
        told, new = old.stat(), here / old.relative_to(there)
        shutil.chown(new, told.st_uid, told.st_gid)
