from collections.abc import Iterator

import pytest

from aftersale.pg.server import start


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An empty PostgreSQL, without the product's tables."""
    with start(tmp_path_factory.mktemp("core")) as server:
        yield server.url("admin", "postgres")
