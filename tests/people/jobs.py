"""Jobs that the pages of a test have started, run here and now."""

from typing import Any

from psycopg import Connection

from aftersale.jobs.run import Runner
from aftersale.pg.connect import SETTINGS, limited, opened
from tests.conftest import Database


def run_jobs(database: Database) -> int:
    """Everything that waits; how many jobs ended."""

    def connect() -> Connection[Any]:
        return opened(database.app, settings=SETTINGS, autocommit=True)

    return Runner(connect, limited(database.app, "jobs", SETTINGS)).turn()
