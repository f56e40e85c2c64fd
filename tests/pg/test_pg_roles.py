"""What the application's role may do, and when it refuses to start; on both servers."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from aftersale.pg import Refused, roles
from aftersale.pg.check import check, pending, version_refusal
from aftersale.pg.connect import opened
from tests.pg.cluster import Urls
from tests.pg.processes import environment

# statement, as the application → what PostgreSQL answers
ALLOWED = """
insert into papers values (2, 'new')                      | ok
update papers set text = 'changed'                        | ok
delete from papers                                        | ok
select nextval('numbers')                                 | ok
create temporary table stage (id int) on commit delete rows | ok
truncate papers                                           | InsufficientPrivilege
drop table papers                                         | InsufficientPrivilege
alter table papers add column more int                    | InsufficientPrivilege
create table mine (id int)                                | InsufficientPrivilege
create schema mine                                        | InsufficientPrivilege
set role aftersale_owner                                  | InsufficientPrivilege
create role another                                       | InsufficientPrivilege
copy papers to program 'true'                             | InsufficientPrivilege
select pg_read_file('/etc/passwd')                        | InsufficientPrivilege
update ledger set amount_fen = 0                          | InsufficientPrivilege
insert into ledger values (5)                             | ok
"""


def run(url: str, *statements: str) -> None:
    with opened(url) as connection:
        for statement in statements:
            connection.execute(statement)


def answer(url: str, statement: str) -> str:
    try:
        run(url, statement)
    except psycopg.Error as error:
        return type(error).__name__
    return "ok"


@pytest.fixture
def tables(urls: Urls) -> Iterator[Urls]:
    run(
        urls.owner,
        "create table papers (id int primary key, text text)",
        "create sequence numbers",
        "create table ledger (amount_fen bigint)",
        "revoke update, delete on ledger from aftersale_app",
    )
    yield urls
    run(urls.owner, "drop table papers, ledger", "drop sequence numbers")


@pytest.mark.parametrize("line", ALLOWED.strip().splitlines())
def test_what_the_application_may_do(tables: Urls, line: str) -> None:
    statement, wanted = (part.strip() for part in line.split("|"))
    assert answer(tables.app, statement) == wanted


def test_prepare_again_gives_back_nothing_that_migrations_took(tables: Urls) -> None:
    for _ in range(2):
        roles.prepare(tables.owner)
    assert answer(tables.app, "delete from ledger") == "InsufficientPrivilege"
    assert answer(tables.app, "insert into ledger values (1)") == "ok"


def test_other_roles_do_not_get_into_the_database(urls: Urls) -> None:
    with Stranger(urls, "外人老吴", "login password 'wu'") as url, pytest.raises(Refused) as caught:
        opened(url)
    assert caught.value.code == "not_allowed"


def test_prepare_refuses_who_does_not_own_the_database(urls: Urls) -> None:
    with pytest.raises(Refused) as caught:
        roles.prepare(urls.app)
    assert caught.value.code == "not_owner"


def test_prepare_refuses_without_the_application_role(urls: Urls) -> None:
    with pytest.raises(Refused) as caught:
        roles.prepare(urls.owner, "nobody_made_me")
    assert caught.value.code == "no_app_role"
    assert "CREATE ROLE nobody_made_me LOGIN" in caught.value.why


class Stranger:
    """A role of these tests, as a URL, gone afterwards."""

    def __init__(self, urls: Urls, name: str, options: str, *more: str) -> None:
        self.urls, self.name, self.options, self.more = urls, name, options, more

    def __enter__(self) -> str:
        name = sql.Identifier(self.name).as_string()
        run(self.urls.admin, f"create role {name} {self.options}", *self.more)
        return psycopg.conninfo.make_conninfo(self.urls.admin, user=self.name, password="wu")

    def __exit__(self, *_: object) -> None:
        name = sql.Identifier(self.name).as_string()
        run(self.urls.admin, f"drop owned by {name} cascade", f"drop role {name}")


REFUSED = (
    ("superuser", "superuser", ()),
    ("bypasses_policies", "bypassrls", ("grant connect on database aftersale to wu",)),
    ("owner", "", ("grant connect on database aftersale to wu", "create schema mine authorization wu")),
    (
        "owner",
        "",
        ("grant connect on database aftersale to wu", "create table t ()", "alter table t owner to wu"),
    ),
    ("owner", "", ("grant aftersale_owner to wu",)),
    ("superuser", "noinherit", ("grant connect on database aftersale to wu", "grant postgres to wu")),
)


@pytest.mark.parametrize(("code", "options", "more"), REFUSED)
def test_check_refuses_a_role_that_may_too_much(
    urls: Urls, code: str, options: str, more: tuple[str, ...]
) -> None:
    with Stranger(urls, "wu", f"login password 'wu' {options}", *more) as url, opened(url) as connection:
        with pytest.raises(Refused) as caught:
            check(connection)
        connection.rollback()
    assert caught.value.code == code
    assert caught.value.why.startswith("wu ")
    assert "\n" not in caught.value.why


def test_check_refuses_the_owner(tables: Urls) -> None:
    with opened(tables.owner) as connection, pytest.raises(Refused) as caught:
        check(connection)
    assert caught.value.code == "owner"


CHECK = """
import sys
from aftersale.pg import Refused
from aftersale.pg.connect import check, opened
with opened(sys.argv[1]) as connection:
    connection.execute("create temporary table stage (id int)")
    connection.commit()
    try:
        check(connection)
    except Refused as refused:
        sys.exit(f"{refused.code}: {refused.why}")
    assert connection.info.transaction_status == 0
"""


def checked(url: str, folder: Path) -> str:
    """What a program of this little Django project is told."""
    (folder / "little.py").write_text("INSTALLED_APPS = ['django.contrib.contenttypes']\nUSE_TZ = True\n")
    path = os.pathsep.join([str(folder), environment()["PYTHONPATH"]])
    done = subprocess.run(
        [sys.executable, "-c", CHECK, url], check=False, capture_output=True, text=True,
        env={**environment(), "PYTHONPATH": path, "DJANGO_SETTINGS_MODULE": "little"},
    )  # fmt: skip
    return done.stderr.strip()


def test_check_compares_migrations(urls: Urls, tmp_path: Path) -> None:
    line = "migrations: {} migrations are pending, the first is contenttypes {}: run `aftersale migrate`"
    assert checked(urls.app, tmp_path) == line.format(2, "0001_initial")
    run(
        urls.owner,
        "create table django_migrations (app text, name text)",
        "insert into django_migrations values ('contenttypes', '0001_initial')",
    )
    try:
        assert checked(urls.app, tmp_path) == line.format(1, "0002_remove_content_type_name")
        run(
            urls.owner,
            "insert into django_migrations values ('contenttypes', '0002_remove_content_type_name')",
        )
        assert checked(urls.app, tmp_path) == ""
    finally:
        run(urls.owner, "drop table django_migrations")


SQUASHED = """
applied        | pending
               | one two whole
one            | two whole
one two        |
whole          |
one two whole  |
"""


@pytest.mark.parametrize("line", SQUASHED.strip().splitlines()[1:])
def test_squashed_migration_and_its_parts_stand_for_each_other(line: str) -> None:
    known: dict[tuple[str, str], tuple[tuple[str, str], ...]] = {
        ("a", "one"): (),
        ("a", "two"): (),
        ("a", "whole"): (("a", "one"), ("a", "two")),
    }
    applied, wanted = (part.split() for part in line.split("|"))
    assert pending(known, {("a", name) for name in applied}) == [("a", name) for name in wanted]


VERSIONS = """
 90624 | 9
140022 | 14
149999 | 14
150000 |
150018 |
180004 |
"""


@pytest.mark.parametrize("line", VERSIONS.strip().splitlines())
def test_server_version(line: str) -> None:
    version, older = (part.strip() for part in line.split("|"))
    refused = version_refusal(int(version))
    if not older:
        assert refused is None
    else:
        assert refused is not None
        assert (refused.code, refused.why) == (
            "too_old",
            f"this server is PostgreSQL {older}: use 15 or newer",
        )
