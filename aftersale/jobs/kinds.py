"""Which function runs which kind of job. Kinds are named by import path, so that nobody imports another's part."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from psycopg import Connection

from aftersale.jobs.running import Running

Run = Callable[[Connection[Any], Running], None]
"""Does the job. The connection is in autocommit; the job may be run again after a crash."""

PATHS: dict[str, str] = {
    "backtest": "aftersale.cli.backtest.job:run",
    "bulk": "aftersale.people.bulk.run:run",
    "file_look": "aftersale.intake.uploads.look:run",
    "file_import": "aftersale.intake.uploads.take:run",
    "file_judge": "aftersale.cli.decide.job:run",
    "export": "aftersale.people.export.job:run",
}
_registered: dict[str, Run] = {}


def register(kind: str, run: Run) -> None:
    """A kind that this process knows beside those of PATHS."""
    _registered[kind] = run


def run_of(kind: str) -> Run | None:
    """The function, or None where this version does not know the kind."""
    if kind in _registered:
        return _registered[kind]
    if kind not in PATHS:
        return None
    module, _, name = PATHS[kind].partition(":")
    found: Run = getattr(import_module(module), name)
    return found
