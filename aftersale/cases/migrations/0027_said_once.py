"""What several statements say is said once: a setting's value, how long a person may take an act back, which limit it was."""

from django.db import migrations

SETTING_OF = """
CREATE OR REPLACE FUNCTION setting_of(shop int, name text) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT {value}
  FROM setting_default d LEFT JOIN shop s ON s.id = setting_of.shop WHERE d.name = setting_of.name
$$;
"""
CREATE = (
    """
-- The shop's own value, else the default of its platform, else the default.
CREATE FUNCTION setting_value(own jsonb, by_platform jsonb, value jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(nullif(own, 'null'), by_platform, nullif(value, 'null'))
$$;
"""
    + SETTING_OF.format(value="setting_value(s.settings -> d.name, d.by_platform -> s.platform, d.value)")
    + """
-- Until when a person may take back what they do: real seconds where the shops' clock runs faster, at the latest the margin
-- before the platform's deadline; within the margin, `undo_s` as the shops' clock counts it, and what is left of it when the
-- deadline is nearer.
CREATE FUNCTION undo_until(shop int, now timestamptz, undo_s int, deadline_at timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN m.latest > now THEN least(u.real, m.latest)
    WHEN deadline_at > now THEN least(now + make_interval(secs => undo_s), greatest(now, deadline_at - interval '5 s'))
    ELSE u.real END
  FROM (SELECT now + make_interval(secs => undo_s * coalesce((SELECT nullif(k.speed, 0) FROM clock k), 1)) AS real) u,
    (SELECT deadline_at - make_interval(mins => (setting_of(shop, 'act_margin_minutes') #>> '{}')::int) AS latest) m
$$;

-- The limit that an amount was above, where the reason has one of its own.
CREATE FUNCTION limit_of(shop int, why text) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT CASE why WHEN 'above_sub_limit' THEN (setting_of(shop, 'sub_limit') #>> '{}')::bigint END
$$;
"""
)
DROP = (
    SETTING_OF.format(value="coalesce(nullif(s.settings -> d.name, 'null'), d.by_platform -> s.platform, nullif(d.value, 'null'))")
    + "DROP FUNCTION limit_of(int, text); DROP FUNCTION undo_until(int, timestamptz, int, timestamptz);"
    " DROP FUNCTION setting_value(jsonb, jsonb, jsonb)"
)  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("cases", "0026_refuse")]  # noqa: RUF012
    operations = [migrations.RunSQL(CREATE, DROP)]  # noqa: RUF012
