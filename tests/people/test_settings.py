"""The environment's variables and the generated key."""

from dataclasses import fields
from pathlib import Path

import pytest

from aftersale.config.env import VARIABLES, BadEnvironment, Environment, environment
from aftersale.config.secret import secret_key

DOCS = Path(__file__).parents[2] / "docs/settings.md"


def test_nothing_set_is_this_machine_only() -> None:
    assert environment({}) == Environment(
        home=Path("var"),
        database_url="",
        database_owner_url="",
        pg_port="",
        role="app",
        secret_key="",
        hosts=("127.0.0.1", "localhost", "[::1]"),
        https=False,
        metrics_token="",
        log="text",
        web_processes=0,
    )


def test_a_value_that_cannot_be_used_is_named() -> None:
    with pytest.raises(BadEnvironment, match=r"AFTERSALE_HTTPS 的值 'yes' 不可用：请写 0 或 1"):
        environment({"AFTERSALE_HTTPS": "yes"})


def test_every_variable_is_documented() -> None:
    assert [field.name for field in fields(Environment)] == list(VARIABLES)
    written = DOCS.read_text("utf-8")
    assert [name for name in VARIABLES.values() if f"| `{name}` |" not in written] == []


def test_the_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    home = tmp_path / "new" / "home"
    key = secret_key(home)
    assert secret_key(home) == key
    assert len(key) >= 64
    assert (home / "secret.key").stat().st_mode & 0o777 == 0o600
    assert [file.name for file in home.iterdir()] == ["secret.key"]
