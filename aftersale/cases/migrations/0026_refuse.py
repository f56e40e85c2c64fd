"""Refusing an application: the platform's reasons for it, and what a refusal tells the buyer."""

from django.db import migrations

CREATE = """
-- The platform's own reasons for refusing an application in its present version, asked for when somebody wants to refuse
-- it; `fault`: what the platform said instead. Times are real ones.
CREATE TABLE refuse_reasons (
  shop_id int NOT NULL, case_id text NOT NULL, platform_version bigint NOT NULL,
  reasons jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(reasons) = 'array'),
  fault text NOT NULL DEFAULT '' CHECK (length(fault) <= 500),
  wanted_at timestamptz NOT NULL, asked_at timestamptz, answered_at timestamptz,
  PRIMARY KEY (shop_id, case_id)
);
CREATE INDEX refuse_reasons_open ON refuse_reasons (wanted_at) WHERE answered_at IS NULL;

-- What the intent `refuse` of this version carries. The picture is one of the case's evidence; `sha256` is the file sent,
-- which may be smaller than what was handed in.
CREATE TABLE refusing (
  shop_id int NOT NULL, case_id text NOT NULL, platform_version bigint NOT NULL,
  reason_id bigint NOT NULL, reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 200),
  message text NOT NULL CHECK (length(message) BETWEEN 2 AND 200),
  evidence_id bigint, sha256 text,
  by_whom text NOT NULL, at timestamptz NOT NULL,
  CHECK (num_nulls(evidence_id, sha256) IN (0, 2)),
  FOREIGN KEY (shop_id, case_id, evidence_id) REFERENCES evidence (shop_id, case_id, id),
  FOREIGN KEY (shop_id, sha256) REFERENCES evidence_file (shop_id, sha256),
  PRIMARY KEY (shop_id, case_id, platform_version)
);

-- Words that were sent, or may have been, stay as they are.
CREATE FUNCTION refusing_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR EXISTS (SELECT FROM intent i WHERE i.shop_id = OLD.shop_id AND i.case_id = OLD.case_id
      AND i.kind = 'refuse' AND i.platform_version = OLD.platform_version
      AND i.state IN ('sending', 'unknown', 'done', 'with_person'))
  THEN RAISE EXCEPTION 'refusing: what was sent stays as it is'; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER refusing_kept BEFORE UPDATE OR DELETE ON refusing FOR EACH ROW EXECUTE FUNCTION refusing_kept();
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0025_token_ends")]  # noqa: RUF012
    operations = [  # noqa: RUF012
        migrations.RunSQL(CREATE, "DROP TABLE refusing, refuse_reasons; DROP FUNCTION refusing_kept()")
    ]
