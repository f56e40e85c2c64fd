"""The API over a real database: the shops and people of the pages' tests."""

import pytest

from tests.conftest import Database
from tests.people.conftest import shops

__all__ = ["shops"]


@pytest.fixture(scope="module")
def token(shops: Database) -> str:
    """主管阿兰's; the shops tea and snack are hers, wu is not."""
    from aftersale.api.tokens import make_token

    made = make_token("主管阿兰", "tests")
    assert isinstance(made, str)
    return made
