"""Who did what of consequence: exports, looks at personal data, publishing, rights, settings, switches."""

from django.db import migrations

CREATE = """
CREATE TABLE audit (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL,
  who text NOT NULL CHECK (who <> ''),
  shop_id int,
  what text NOT NULL CHECK ((what ~ '^[a-z_]{2,40}$') IS TRUE),
  target text NOT NULL CHECK ((length(target) <= 200) IS TRUE),
  why text NOT NULL CHECK ((length(why) <= 500) IS TRUE),
  more jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_who ON audit (who, what, at);
CREATE INDEX audit_shop ON audit (shop_id, id);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON audit EXECUTE FUNCTION append_only();
-- From where a shop is pushed to; the secrets themselves are read by who checks signatures alone.
CREATE FUNCTION push_sources(shop int) RETURNS text[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT ARRAY(SELECT jsonb_object_keys(s.push_secrets) ORDER BY 1) FROM shop s WHERE s.id = push_sources.shop
$$;
DO $$
DECLARE one record;
BEGIN
  FOR one IN SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'public' ELSE quote_ident(pg_get_userbyid(a.grantee)) END AS grantee
    FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) AS a
    WHERE c.oid = 'audit'::regclass AND a.grantee <> c.relowner
  LOOP
    EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON audit FROM %s', one.grantee);
  END LOOP;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0013_accounts")]  # noqa: RUF012
    operations = [migrations.RunSQL(CREATE, "DROP FUNCTION push_sources(int); DROP TABLE audit")]  # noqa: RUF012
