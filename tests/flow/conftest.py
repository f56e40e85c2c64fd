"""The desk of one test."""

from collections.abc import Iterator

import pytest

from tests.conftest import Database
from tests.flow.desk import Desk


@pytest.fixture
def desk(database: Database) -> Iterator[Desk]:
    made = Desk(database)
    yield made
    made.close()
