"""The ledger as a chain, reversals, and its comparison with the platform's (P3, P7, P15)."""

from django.db import migrations

CREATE = """
-- 1 pays, 2 takes exactly that back, 3 pays again …: what a case has paid is sum(amount_fen).
ALTER TABLE ledger ADD COLUMN entry smallint NOT NULL DEFAULT 1,
  DROP CONSTRAINT ledger_pkey, ADD PRIMARY KEY (shop_id, case_id, entry),
  DROP CONSTRAINT ledger_amount_fen_check,
  ADD CONSTRAINT ledger_sign CHECK ((entry > 0 AND amount_fen <> 0 AND (amount_fen > 0) = (entry % 2 = 1)) IS TRUE);
CREATE INDEX ledger_at ON ledger (shop_id, at);
CREATE INDEX ledger_later ON ledger (shop_id, case_id, entry) WHERE entry > 1;

-- Each ledger row is sealed over the one before it in its shop: hash = sha256(prev_hash || ledger_text).
CREATE TABLE ledger_seal (
  shop_id int NOT NULL, seq bigint NOT NULL CHECK (seq > 0),
  case_id text NOT NULL, entry smallint NOT NULL,
  prev_hash bytea NOT NULL CHECK (octet_length(prev_hash) = 32),
  hash bytea NOT NULL CHECK (octet_length(hash) = 32),
  PRIMARY KEY (shop_id, seq), UNIQUE (shop_id, case_id, entry)
);
-- One sealer a shop at a time. Its row is only locked, so a large commit leaves no dead versions of it.
CREATE TABLE ledger_lock (shop_id int PRIMARY KEY);
CREATE VIEW ledger_head AS
SELECT l.shop_id, s.seq, s.hash FROM ledger_lock l CROSS JOIN LATERAL (
  SELECT seq, hash FROM ledger_seal s WHERE s.shop_id = l.shop_id ORDER BY seq DESC LIMIT 1) s;

CREATE FUNCTION ledger_text(l ledger, seq bigint) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT jsonb_build_array(l.shop_id, seq, l.case_id, l.entry, l.order_id, l.amount_fen, l.origin,
    (extract(epoch FROM l.at) * 1000000)::bigint, (extract(epoch FROM l.recorded_at) * 1000000)::bigint)::text
$$;
CREATE FUNCTION ledger_seal_row(l ledger) RETURNS void LANGUAGE plpgsql AS $$
DECLARE last record; next bigint; before bytea;
BEGIN
  SELECT s.seq, s.hash INTO last FROM ledger_seal s WHERE s.shop_id = l.shop_id ORDER BY s.seq DESC LIMIT 1;
  next := coalesce(last.seq, 0) + 1;
  before := coalesce(last.hash, decode(repeat('00', 32), 'hex'));
  INSERT INTO ledger_seal (shop_id, seq, case_id, entry, prev_hash, hash)
  VALUES (l.shop_id, next, l.case_id, l.entry, before, sha256(before || convert_to(ledger_text(l, next), 'UTF8')));
END $$;
INSERT INTO ledger_lock SELECT DISTINCT shop_id FROM ledger;
SELECT ledger_seal_row(l) FROM (SELECT * FROM ledger ORDER BY shop_id, recorded_at, case_id) AS o
JOIN ledger l USING (shop_id, case_id, entry);

-- At commit, when all else is locked already, the shops of the transaction are locked in their order, so that nobody waits
-- for us while holding what we want. Which they are is noted as the rows come in.
CREATE FUNCTION ledger_noted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('aftersale.to_seal', concat_ws(',', nullif(current_setting('aftersale.to_seal', true), ''),
    (SELECT string_agg(DISTINCT n.shop_id::text, ',') FROM news n)), true);
  RETURN NULL;
END $$;
CREATE TRIGGER ledger_noted AFTER INSERT ON ledger REFERENCING NEW TABLE AS news
FOR EACH STATEMENT EXECUTE FUNCTION ledger_noted();

CREATE FUNCTION ledger_sealed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE shops int[] := string_to_array(nullif(current_setting('aftersale.to_seal', true), ''), ','); before bigint;
BEGIN
  IF shops IS NOT NULL THEN
    INSERT INTO ledger_lock SELECT DISTINCT unnest(shops) ORDER BY 1 ON CONFLICT DO NOTHING;
    PERFORM FROM ledger_lock WHERE shop_id = ANY(shops) ORDER BY shop_id FOR UPDATE;
    PERFORM set_config('aftersale.to_seal', '', true);
  END IF;
  IF NEW.entry > 1 THEN
    SELECT amount_fen INTO before FROM ledger
    WHERE shop_id = NEW.shop_id AND case_id = NEW.case_id AND entry = NEW.entry - 1;
    IF (NEW.entry % 2 = 1 AND before < 0 OR NEW.entry % 2 = 0 AND before = -NEW.amount_fen) IS NOT TRUE THEN
      RAISE EXCEPTION 'ledger: entry % of case % does not follow from the one before', NEW.entry, NEW.case_id;
    END IF;
  END IF;
  PERFORM ledger_seal_row(NEW);
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER ledger_sealed AFTER INSERT ON ledger DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION ledger_sealed();

-- One comparison of our ledger with the platform's refunds, and the head of the chain at that moment as its anchor.
CREATE TABLE reconciliation (
  id bigint GENERATED ALWAYS AS IDENTITY, shop_id int NOT NULL,
  since timestamptz NOT NULL, until timestamptz NOT NULL, CHECK ((since < until) IS TRUE),
  at timestamptz NOT NULL,
  ours int NOT NULL, ours_fen bigint NOT NULL, theirs int NOT NULL, theirs_fen bigint NOT NULL,
  differences int NOT NULL, waiting int NOT NULL, by_whom text NOT NULL,
  head_seq bigint NOT NULL, head_hash bytea NOT NULL,
  PRIMARY KEY (shop_id, id)
);
CREATE INDEX reconciliation_at ON reconciliation (shop_id, at);
-- What the two do not agree on. 0 fen = no refund there.
CREATE TABLE difference (
  id bigint GENERATED ALWAYS AS IDENTITY, shop_id int NOT NULL, case_id text NOT NULL,
  kind text NOT NULL, ours_fen bigint NOT NULL CHECK (ours_fen >= 0), theirs_fen bigint NOT NULL CHECK (theirs_fen >= 0),
  CHECK ((ours_fen <> theirs_fen AND kind = CASE
    WHEN theirs_fen = 0 THEN 'only_ours' WHEN ours_fen = 0 THEN 'only_theirs' ELSE 'amount' END) IS TRUE),
  found_at timestamptz NOT NULL,
  reconciliation_id bigint NOT NULL,
  resolved_at timestamptz, resolved_by text, note text,
  CHECK ((resolved_at IS NULL) = (resolved_by IS NULL)), CHECK ((resolved_at IS NULL) = (note IS NULL)),
  PRIMARY KEY (shop_id, id),
  FOREIGN KEY (shop_id, reconciliation_id) REFERENCES reconciliation (shop_id, id)
);
CREATE UNIQUE INDEX difference_open ON difference (shop_id, case_id) WHERE resolved_at IS NULL;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger_seal FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON ledger_seal EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON reconciliation FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON reconciliation EXECUTE FUNCTION append_only();
CREATE TRIGGER never_deleted BEFORE DELETE ON difference FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON difference EXECUTE FUNCTION append_only();

-- The application's role may add to what is only appended to, and only the trigger writes seals (P15). Whatever the
-- role is called, it is who has been granted something on these tables and does not own them.
REVOKE ALL ON FUNCTION ledger_sealed(), ledger_seal_row(ledger) FROM public;
DO $$
DECLARE one record;
BEGIN
  FOR one IN SELECT DISTINCT c.oid::regclass AS place, c.relname,
      CASE a.grantee WHEN 0 THEN 'public' ELSE quote_ident(pg_get_userbyid(a.grantee)) END AS grantee
    FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) AS a
    WHERE c.relnamespace = current_schema()::regnamespace AND a.grantee <> c.relowner AND c.relname IN
      ('ledger', 'ledger_seal', 'ledger_lock', 'happening', 'decision', 'switch_log', 'setting_log', 'reconciliation')
  LOOP
    EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %s FROM %s', one.place, one.grantee);
    IF one.relname IN ('ledger_seal', 'ledger_lock') THEN
      EXECUTE format('REVOKE INSERT ON %s FROM %s', one.place, one.grantee);
    END IF;
  END LOOP;
END $$;
"""

DROP = """
DROP TABLE difference, reconciliation;
DROP TRIGGER ledger_sealed ON ledger;
DROP TRIGGER ledger_noted ON ledger;
DROP VIEW ledger_head;
DROP FUNCTION ledger_noted(), ledger_sealed(), ledger_seal_row(ledger), ledger_text(ledger, bigint);
DROP TABLE ledger_seal, ledger_lock;
DROP INDEX ledger_at;
ALTER TABLE ledger DROP CONSTRAINT ledger_sign, DROP COLUMN entry, ADD PRIMARY KEY (shop_id, case_id),
  ADD CONSTRAINT ledger_amount_fen_check CHECK (amount_fen > 0);
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0008_windows")]  # noqa: RUF012
    operations = [migrations.RunSQL(CREATE, DROP)]  # noqa: RUF012
