"""A Spark cluster of two workers on this machine, once for all tests."""

from collections.abc import Iterator
from typing import Any

import pytest

from aftersale.plan.spark import missing, session

MASTER = "local-cluster[2,1,1024]"


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    why = missing()
    if why is not None:
        pytest.skip(why)
    made = session(MASTER)
    yield made
    made.stop()
