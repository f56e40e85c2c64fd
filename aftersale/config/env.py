"""Every environment variable that the product reads; docs/settings.md explains them to people."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast


@dataclass(frozen=True, slots=True)
class Environment:
    """One field a variable.

    home: `AFTERSALE_HOME`, the folder of the embedded database and the generated key; `./var`.
    database_url: `DATABASE_URL`, a PostgreSQL >= 15 of your own, as the application's role; empty = embedded.
    database_owner_url: `DATABASE_OWNER_URL`, the same database as the tables' owner, for migrations only.
    pg_port: `AFTERSALE_PG_PORT`, a fixed port for the embedded database; empty = a free one, then remembered.
    role: `AFTERSALE_ROLE`, `app` or `owner`: as whom this process connects; `app`.
    secret_key: `AFTERSALE_SECRET_KEY`, signs sessions; empty = generated once into `home`.
    hosts: `AFTERSALE_HOSTS`, host names the pages answer to, with commas; this machine only.
    https: `AFTERSALE_HTTPS`, `1` when people reach the pages by https: cookies are then sent by https only.
    metrics_token: `AFTERSALE_METRICS_TOKEN`, who shows it may read /metrics; empty = this machine only.
    log: `AFTERSALE_LOG`, `text` or `json`: how logs are written; `text`.
    web_processes: `AFTERSALE_WEB_PROCESSES`, how many processes share the port of the pages; 0 = as many as cores.
    """

    home: Path
    database_url: str
    database_owner_url: str
    pg_port: str
    role: Literal["app", "owner"]
    secret_key: str
    hosts: tuple[str, ...]
    https: bool
    metrics_token: str
    log: Literal["text", "json"]
    web_processes: int


VARIABLES: Mapping[str, str] = {
    "home": "AFTERSALE_HOME",
    "database_url": "DATABASE_URL",
    "database_owner_url": "DATABASE_OWNER_URL",
    "pg_port": "AFTERSALE_PG_PORT",
    "role": "AFTERSALE_ROLE",
    "secret_key": "AFTERSALE_SECRET_KEY",
    "hosts": "AFTERSALE_HOSTS",
    "https": "AFTERSALE_HTTPS",
    "metrics_token": "AFTERSALE_METRICS_TOKEN",
    "log": "AFTERSALE_LOG",
    "web_processes": "AFTERSALE_WEB_PROCESSES",
}
PROCESSES = tuple(str(n) for n in range(9))
HOSTS_DEFAULT = "127.0.0.1,localhost,[::1]"


class BadEnvironment(Exception):
    """A variable whose value cannot be used; str() is one clear line."""


def environment(environ: Mapping[str, str] = os.environ) -> Environment:
    """Reads the variables. Raises BadEnvironment."""

    def value(field: str, default: str = "") -> str:
        return environ.get(VARIABLES[field], "").strip() or default

    return Environment(
        home=Path(value("home", "var")),
        database_url=value("database_url"),
        database_owner_url=value("database_owner_url"),
        pg_port=value("pg_port"),
        role=cast(Literal["app", "owner"], _one_of("role", value("role", "app"), ("app", "owner"))),
        secret_key=value("secret_key"),
        hosts=tuple(host.strip() for host in value("hosts", HOSTS_DEFAULT).split(",") if host.strip()),
        https=_one_of("https", value("https", "0"), ("0", "1")) == "1",
        metrics_token=value("metrics_token"),
        log=cast(Literal["text", "json"], _one_of("log", value("log", "text"), ("text", "json"))),
        web_processes=int(_one_of("web_processes", value("web_processes", "0"), PROCESSES)),
    )


def _one_of(field: str, given: str, known: tuple[str, ...]) -> str:
    if given not in known:
        raise BadEnvironment(f"环境变量 {VARIABLES[field]} 的值 {given!r} 不可用：请写 {' 或 '.join(known)}")
    return given
