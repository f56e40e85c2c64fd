"""The desk of one test, on our own server."""

from collections.abc import Iterator

import pytest

from tests.conftest import Database
from tests.flow.desk import Desk


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--import-rows", type=int, help="rows of the import that is killed")


@pytest.fixture
def desk(embedded_database: Database) -> Iterator[Desk]:
    made = Desk(embedded_database)
    yield made
    made.close()
