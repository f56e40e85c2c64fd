"""The embedded server's life, through real processes."""

import os
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from aftersale.pg import Refused
from aftersale.pg.cluster import Postmaster, postmaster
from aftersale.pg.connect import opened
from aftersale.pg.home import Home
from aftersale.pg.server import Server, start
from tests.pg.processes import User, gone, keeper_pid

SETTINGS = """
data_checksums               on
fsync                        on
full_page_writes             on
synchronous_commit           on
wal_compression              off
max_wal_size                 4GB
checkpoint_timeout           15min
jit                          off
listen_addresses             127.0.0.1
unix_socket_directories
max_connections             100
password_encryption          scram-sha-256
server_encoding              UTF8
logging_collector            on
log_min_error_statement      panic
"""


def running(home: Path) -> Postmaster:
    found = postmaster(Home(home))
    assert found is not None
    return found


def write(url: str, note: str) -> None:
    with opened(url) as connection:
        connection.execute("create table if not exists notes (note text primary key)")
        connection.execute("insert into notes values (%s)", [note])


def notes(url: str) -> list[str]:
    with opened(url) as connection:
        return [note for (note,) in connection.execute("select note from notes order by note")]


def test_cold_start_has_our_configuration(embedded: Server) -> None:
    rows = [line.split() for line in SETTINGS.strip().splitlines()]
    wanted = {name: (" ".join(value),) for name, *value in rows}
    with opened(embedded.url("admin")) as connection:
        assert connection.info.server_version >= 180000
        shown = {name: connection.execute(f"show {name}").fetchone() for name in wanted}
        locale = connection.execute(
            "select datlocprovider, datlocale from pg_database where datname = 'aftersale'"
        )
        assert locale.fetchone() == ("b", "C.UTF-8")
    assert shown == wanted


def test_passwords_are_stored_for_the_owner_alone_and_not_shown(embedded: Server) -> None:
    assert embedded.home.state_file.stat().st_mode & 0o777 == 0o600
    state = embedded.home.load()
    assert state is not None
    assert len({state.admin, state.owner, state.app}) == 3
    assert state.app not in repr(state)
    assert not (embedded.home.folder / "password").exists()


def test_warm_start_keeps_rows_and_port(tmp_path: Path) -> None:
    with start(tmp_path) as first:
        write(first.url("owner"), "客服小明")
        port, pid = first.port, running(tmp_path).pid
    assert gone(pid, within_s=0)
    with start(tmp_path) as second:
        assert second.port == port
        assert notes(second.url("owner")) == ["客服小明"]


def test_second_process_attaches_and_the_last_one_out_stops_the_server(tmp_path: Path) -> None:
    first = start(tmp_path)
    pid = running(tmp_path).pid
    second = User(tmp_path)
    assert running(tmp_path).pid == pid
    first.stop()
    write(second.url, "still here")
    assert running(tmp_path).pid == pid
    second.end()
    assert gone(pid)
    assert postmaster(Home(tmp_path)) is None


def test_processes_that_start_at_once_share_one_server(tmp_path: Path) -> None:
    with ThreadPoolExecutor() as pool:
        users = list(pool.map(User, [tmp_path] * 3))
    pid = running(tmp_path).pid
    assert len({user.url for user in users}) == 1
    keeper_pid(tmp_path)
    for user in users:
        assert not gone(pid, within_s=0)
        user.kill()
    assert gone(pid)


def test_killed_parent_takes_the_server_with_it(tmp_path: Path) -> None:
    user = User(tmp_path)
    write(user.url, "committed")
    pid, keeper = running(tmp_path).pid, keeper_pid(tmp_path)
    user.kill()
    assert gone(pid)
    assert gone(keeper)
    with start(tmp_path) as server:
        assert notes(server.url("owner")) == ["committed"]


def test_one_killed_user_does_not_take_the_server_from_another(tmp_path: Path) -> None:
    killed, other = User(tmp_path), User(tmp_path)
    pid = running(tmp_path).pid
    killed.kill()
    assert not gone(pid, within_s=1)
    write(other.url, "served")
    other.end()
    assert gone(pid)


def test_everything_killed_then_next_start_recovers(tmp_path: Path) -> None:
    user = User(tmp_path)
    write(user.url, "committed")
    open_transaction = opened(user.url)
    open_transaction.execute("insert into notes values ('never committed')")
    victims = (keeper_pid(tmp_path), running(tmp_path).pid, user.process.pid)
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    user.kill()
    assert all(gone(pid) for pid in victims)
    with start(tmp_path) as server:
        assert notes(server.url("owner")) == ["committed"]


def test_killed_postmaster_comes_back_for_those_who_use_it(tmp_path: Path) -> None:
    with start(tmp_path) as server:
        write(server.url("owner"), "committed")
        before = running(tmp_path)
        os.kill(before.pid, signal.SIGKILL)
        assert gone(before.pid)
        with start(tmp_path) as again:
            after = running(tmp_path)
            assert after.pid != before.pid
            assert after.port == before.port
            assert notes(again.url("owner")) == ["committed"]
        assert notes(server.url("owner")) == ["committed"]


def test_killed_keeper_is_replaced_by_the_next_user(tmp_path: Path) -> None:
    with start(tmp_path):
        pid, keeper = running(tmp_path).pid, keeper_pid(tmp_path)
        os.kill(keeper, signal.SIGKILL)
        assert gone(keeper)
        user = User(tmp_path)
        assert running(tmp_path).pid == pid
        assert keeper_pid(tmp_path) != keeper
    user.kill()
    assert gone(pid)


def test_initdb_cut_short_is_done_again(tmp_path: Path) -> None:
    half = tmp_path / "postgres" / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with start(tmp_path) as server:
        write(server.url("owner"), "whole")
    assert not half.exists()


@pytest.mark.parametrize("number", [1, os.getpid()], ids=["init", "ours"])
def test_stale_pid_file_with_a_number_in_use_does_not_stop_the_start(tmp_path: Path, number: int) -> None:
    with start(tmp_path) as server:
        write(server.url("owner"), "committed")
        lines = (server.home.data / "postmaster.pid").read_text().splitlines()
    stale = server.home.data / "postmaster.pid"
    stale.write_text("\n".join([str(number), *lines[1:]]) + "\n")
    with start(tmp_path) as server:
        assert notes(server.url("owner")) == ["committed"]


def test_port_taken_meanwhile_is_changed_and_remembered(tmp_path: Path) -> None:
    with start(tmp_path) as server:
        port = server.port
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", port))
        squatter.listen()
        with start(tmp_path) as server:
            changed = server.port
            write(server.url("owner"), "elsewhere")
    assert changed != port
    with start(tmp_path) as server:
        assert server.port == changed


def test_port_insisted_on_is_refused_when_taken(tmp_path: Path) -> None:
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        port = squatter.getsockname()[1]
        with pytest.raises(Refused) as caught:
            start(tmp_path, port)
    assert caught.value.code == "port_taken"
    assert caught.value.why == (
        f"port {port} of 127.0.0.1 is taken by another program: stop that one, or change AFTERSALE_PG_PORT"
    )
    assert postmaster(Home(tmp_path)) is None
    with start(tmp_path, port) as server:
        assert server.port == port
        with pytest.raises(Refused) as caught:
            start(tmp_path, port + 1)
        assert caught.value.code == "port_other"
