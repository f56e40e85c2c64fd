"""A backup of the whole record, and its return: what happened since is forgotten here and not at the platform (P28)."""

from aftersale import instance
from tests.faults.simulation.place import Place

KEPT = "judge.emptied_tables WHERE name NOT IN ('clock', 'instance')"
COPY = f"""
DO $do$ DECLARE one text; BEGIN
  CREATE SCHEMA IF NOT EXISTS backup;
  FOR one IN SELECT name FROM {KEPT} LOOP
    EXECUTE format('CREATE TABLE IF NOT EXISTS backup.%1$s (LIKE public.%1$s)', one);
    EXECUTE format('DELETE FROM backup.%1$s', one);
    EXECUTE format('INSERT INTO backup.%1$s SELECT * FROM public.%1$s', one);
  END LOOP;
END $do$
"""
RETURN = f"""
DO $do$ DECLARE one text; BEGIN
  FOR one IN SELECT name FROM {KEPT} LOOP
    EXECUTE format('DELETE FROM public.%1$s', one);
    EXECUTE format('INSERT INTO public.%1$s OVERRIDING SYSTEM VALUE SELECT * FROM backup.%1$s', one);
  END LOOP;
END $do$
"""


def back_up(place: Place) -> None:
    place.admin.execute(COPY)


def restore(place: Place) -> None:
    """The record of the last backup; the first worker that wakes finds it older than it was."""
    place.admin.execute(RETURN)
    place.admin.execute("INSERT INTO instance (fingerprint) VALUES ('simulated') ON CONFLICT DO NOTHING")
    why = instance.WHYS[instance.BEHIND]
    place.admin.execute(instance._RECONCILE, {"why": why, "copied": False, "behind": True})
