"""Ways in which an old state of the database could come back to life and pay again (F52, F53)."""

import shutil
from pathlib import Path

import pytest

from aftersale import instance
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
