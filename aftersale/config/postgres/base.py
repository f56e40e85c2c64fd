"""Asks for the address when the first connection is made, so that importing the settings starts no server."""

from typing import Any, cast

from django.conf import settings
from django.db.backends.postgresql import base
from psycopg import Connection, OperationalError

from aftersale.pg.connect import django_database

PEOPLE_MAX, PEOPLE_MIN = 16, 4
BUSY_S, IDLE_S = 5.0, 300.0
FORGET = "SELECT set_config('role', 'none', false), set_config('aftersale.shops', '', false)"


def keep_connections(processes: int = 1) -> None:
    """From here on this process hands a connection from request to request. For the server of the pages.

    `processes`: how many share what the pages may have of the database.
    """
    most = max(PEOPLE_MAX // max(processes, 1), PEOPLE_MIN)
    cast("dict[str, Any]", settings.DATABASES["default"]).update(KEPT=most)


def forget(conn: Connection[Any]) -> None:
    """What a person's request said about itself is gone before another's gets the connection."""
    conn.execute(FORGET)
    conn.commit()


def answers(conn: Connection[Any]) -> bool:
    """Is the server still at the other end?"""
    try:
        conn.execute("")
    except OperationalError:
        return False
    return True


class DatabaseWrapper(base.DatabaseWrapper):
    """The database as `settings_dict["ROLE"]`."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """A kept connection that answers. The pool's own check waits a second and more after each that does not, and
        after a restart of the server none of them does."""
        made = super().get_new_connection(conn_params)
        for _ in range(PEOPLE_MAX):
            if self.pool is None or answers(made):
                break
            self.pool.putconn(made)
            made = super().get_new_connection(conn_params)
        return made

    def get_connection_params(self) -> dict[str, Any]:
        found = django_database(self.settings_dict["ROLE"])
        if self.settings_dict.get("KEPT"):
            found["OPTIONS"]["pool"] = {
                "min_size": 1, "max_size": self.settings_dict["KEPT"], "timeout": BUSY_S, "max_idle": IDLE_S, "reset": forget,
            }  # fmt: skip
        self.settings_dict.update({key: value for key, value in found.items() if key != "ENGINE"})
        return super().get_connection_params()
