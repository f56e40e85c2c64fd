"""Servers for these tests: ours, and the distribution's."""

from collections.abc import Iterator

import pytest

from aftersale.pg.server import Server, start
from tests.pg.cluster import Urls, external_server, newest_bin


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with start(tmp_path_factory.mktemp("embedded")) as server:
        yield server


@pytest.fixture(scope="session")
def external() -> Iterator[Urls]:
    binaries = newest_bin()
    if binaries is None:
        pytest.skip("no PostgreSQL of the distribution in /usr/lib/postgresql: apt install postgresql")
    with external_server(binaries) as urls:
        yield urls


@pytest.fixture(params=["embedded", "external"])
def urls(request: pytest.FixtureRequest) -> Urls:
    """Each test that takes this runs against both servers."""
    if request.param == "external":
        found: Urls = request.getfixturevalue("external")
        return found
    server: Server = request.getfixturevalue("embedded")
    return Urls(server.url("admin"), server.url("owner"), server.url("app"))
