"""Asks for the address when the first connection is made, so that importing the settings starts no server."""

from typing import Any

from django.db.backends.postgresql import base

from aftersale.pg.connect import django_database


class DatabaseWrapper(base.DatabaseWrapper):
    """The database as `settings_dict["ROLE"]`."""

    def get_connection_params(self) -> dict[str, Any]:
        found = django_database(self.settings_dict["ROLE"])
        self.settings_dict.update({key: value for key, value in found.items() if key != "ENGINE"})
        return super().get_connection_params()
