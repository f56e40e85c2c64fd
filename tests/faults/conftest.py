"""The marketplace, ten hours after midnight, and a desk that has its shops."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.conftest import Database
from tests.flow.market import MarketDesk, market_desk
from tests.sandbox.running import START, Running, running


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Running]:
    with running("--applications", "400", "--shops", "2", "--qps", "10000") as one:
        one.control.jump(START + timedelta(hours=10))
        yield one


@pytest.fixture
def market(embedded_database: Database, sandbox: Running) -> Iterator[MarketDesk]:
    with market_desk(embedded_database, sandbox) as desk:
        yield desk
