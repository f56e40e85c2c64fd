"""One sandbox for the tests that only look, or that touch applications of their own."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.sandbox.running import START, Running, running


@pytest.fixture(scope="module")
def morning() -> Iterator[Running]:
    """Two shops (demo1 Tmall, demo2 Taobao) at ten in the morning, with 400 applications that day."""
    with running("--applications", "400", "--shops", "2", "--qps", "10000") as one:
        one.control.jump(START + timedelta(hours=10))
        yield one
