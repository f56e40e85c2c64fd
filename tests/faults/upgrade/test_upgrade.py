"""An upgrade under load: the release before goes on working on the new tables, and beside the new one (P20, F41)."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest

from tests.conftest import Database, _at
from tests.faults.upgrade.place import Name, Place, place
from tests.faults.upgrade.previous import unpacked
from tests.faults.upgrade.refusals import Refusals
from tests.pg.cluster import Urls

_numbers = count(1)
AT_REST = 20.0
# An application that is ours to answer, and neither people, nor a moment to look again, nor an intent has it.
NOBODYS = """
SELECT c.case_id FROM cases c WHERE c.state = 'applied'
  AND NOT EXISTS (SELECT FROM queue_item q WHERE q.shop_id = c.shop_id AND q.case_id = c.case_id)
  AND NOT EXISTS (SELECT FROM look l WHERE l.shop_id = c.shop_id AND l.case_id = c.case_id)
  AND NOT EXISTS (SELECT FROM intent i WHERE i.shop_id = c.shop_id AND i.case_id = c.case_id
    AND i.state IN ('planned', 'approved', 'sending', 'unknown', 'with_person'))
"""
NEWEST = "SELECT max(name) FROM django_migrations WHERE app = 'cases'"
# Whoever decides anew cancels what nobody has sent; all the rest comes of sending and asking.
REFUSED_BY = "SELECT DISTINCT release FROM witness.act WHERE kind = 'refuse' AND state <> 'cancelled'"


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = unpacked(tmp_path_factory.mktemp("previous"))
    if folder is None:
        pytest.skip("the history of this copy does not reach back to the release before")
    return folder


@pytest.fixture
def empty_database(embedded_server: Urls) -> Iterator[Database]:
    name = f"upgrade_{next(_numbers)}"
    with psycopg.connect(_at(embedded_server.admin, "postgres"), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE template0 OWNER aftersale_owner".encode())
        admin.execute(f"GRANT CONNECT, TEMPORARY ON DATABASE {name} TO aftersale_app".encode())
        try:
            yield Database(_at(embedded_server.owner, name), _at(embedded_server.app, name))
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def here(tmp_path: Path, empty_database: Database, old: Path) -> Iterator[Place]:
    """Everything is the release before; its door is open and none of its workers has begun."""
    with place(tmp_path, empty_database, old, applications=4000) as made:
        for release, folder in made.code.items():
            where = made.run(release, "-c", "import aftersale; print(aftersale.__file__)").strip()
            assert where == str(folder / "aftersale" / "__init__.py")
        yield made


def migrate(here: Place) -> None:
    """By the code that is here, while the old worker pays and applications keep arriving."""
    here.until(lambda: here.did("old", 0) >= 3)
    assert here.all(NEWEST) == [newest(here.code["old"])]
    applied = here.control.state().applications
    here.run("new", "-m", "aftersale", "migrate")
    assert here.all(NEWEST) == [newest(here.code["new"])] != [newest(here.code["old"])]
    assert here.control.state().applications > applied


def newest(code: Path) -> str:
    """Its last migration."""
    return max(one.stem for one in (code / "aftersale" / "cases" / "migrations").glob("0*.py"))


def works(here: Place, *releases: Name) -> None:
    """From now on each of these decides applications and pays refunds of its own."""
    since = here.sight()
    here.until(lambda: all(here.decided(one, since) >= 5 and here.did(one, since) >= 3 for one in releases))


def ended_well(here: Place) -> None:
    """Every application has an end or an owner; by the judge, both ledgers are the same and nobody is paid twice."""
    here.control.faults({})
    here.speed(AT_REST)
    assert here.rest() == []
    assert here.all(NOBODYS) == []
    assert here.all("SELECT why FROM parked") == []
    assert here.lost() == 0
    assert here.fallen() == []
    assert here.complaints() == []


def test_both_releases_work_side_by_side_and_a_new_kind_is_left_to_the_new_one(here: Place) -> None:
    """The old one knows no refusal: it neither sends one, nor asks about it, nor ends it, nor waits behind it."""
    desk, first = Refusals(here), here.worker("old")
    migrate(here)
    early = desk.plan(4)
    here.until(lambda: desk.due(early))
    works(here, "old")
    second = here.worker("old")  # as its supervisor would start it, had it ended
    assert first.end() == 0
    works(here, "old")
    assert desk.unsent(early)
    here.open_door("new")
    new = here.worker("new")
    here.until(lambda: desk.ended(early))
    late = desk.plan(4)
    here.until(lambda: desk.ended(late))
    works(here, "old", "new")
    lost = desk.lose(new)  # sent, and its worker is killed before it hears the answer
    here.until(lambda: desk.abandoned(lost))
    works(here, "old")
    assert desk.states(lost) == {"sending"}
    here.worker("new")
    here.until(lambda: desk.ended(lost))
    assert second.end() == 0
    works(here, "new")
    ended_well(here)
    desk.each_once(early, late, lost)
    assert here.all(REFUSED_BY) == ["new"]
