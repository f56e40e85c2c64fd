"""A PostgreSQL that is not ours: the distribution's, in a throw-away folder, with our two roles."""

import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aftersale.pg import roles
from aftersale.pg.home import Home
from aftersale.pg.install import account, run_as

PASSWORDS = {"postgres": "admin-secret", roles.OWNER: "owner-secret", roles.APP: "app-secret"}


@dataclass(frozen=True)
class Urls:
    """The same database, as three roles."""

    admin: str
    owner: str
    app: str


def newest_bin(parent: Path = Path("/usr/lib/postgresql")) -> Path | None:
    """The newest PostgreSQL ≥ 15 that the distribution installed."""
    majors = sorted(int(path.name) for path in parent.glob("*") if path.name.isdigit())
    usable = [major for major in majors if major >= 15 and (parent / str(major) / "bin/initdb").exists()]
    return parent / str(usable[-1]) / "bin" if usable else None


@contextmanager
def external_server(binaries: Path) -> Iterator[Urls]:
    """Run it on a free port of 127.0.0.1, with database `aftersale` prepared as docs/postgresql.md says."""
    folder = Path(tempfile.mkdtemp(prefix="aftersale-pg-"))
    who = account(Home(folder))
    if who is not None:
        shutil.chown(folder, who.uid, who.gid)
    data, port = folder / "data", free_port()

    def run(program: str, *asked: str, given: str = "") -> None:
        done = run_as(who, folder, str(binaries / program), *asked, given=given)
        assert done.returncode == 0, done.stderr

    run_as(who, folder, "sh", "-c", "cat > password", given=PASSWORDS["postgres"])
    secure = ("--auth=scram-sha-256", "--pwfile=password", "--username=postgres")
    run("initdb", "-D", str(data), "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8", *secure)
    options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories='' -c fsync=off"
    run("pg_ctl", "start", "-w", "-D", str(data), "-l", str(folder / "log"), "-o", options)
    try:
        yield prepared(port)
    finally:
        run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", str(data))
        shutil.rmtree(folder)


def prepared(port: int) -> Urls:
    def url(role: str, database: str) -> str:
        return f"postgresql://{role}:{PASSWORDS[role]}@127.0.0.1:{port}/{database}"

    admin = url("postgres", "postgres")
    roles.create(admin, owner_password=PASSWORDS[roles.OWNER], app_password=PASSWORDS[roles.APP])
    roles.create_database(admin, "aftersale")
    roles.prepare(url(roles.OWNER, "aftersale"))
    return Urls(url("postgres", "aftersale"), url(roles.OWNER, "aftersale"), url(roles.APP, "aftersale"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
