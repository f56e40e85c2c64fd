"""People's notes are found by their words: every two characters of a note, newest first, for as long as they are looked for."""

from django.db import migrations

CREATE = """
-- Two characters are a word in Chinese and a part of one elsewhere. Of a note its beginning counts.
CREATE FUNCTION note_grams(said text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT coalesce(array_agg(DISTINCT substr(l.said, n, 2)) FILTER (WHERE substr(l.said, n, 2) ~ '^\\S\\S$'), '{}')
  FROM (SELECT lower(left(note_grams.said, 500)) AS said) l CROSS JOIN LATERAL generate_series(1, length(l.said) - 1) n
$$;
CREATE TABLE note_gram (
  shop_id int NOT NULL, gram text NOT NULL CHECK (length(gram) = 2), at timestamptz NOT NULL, case_id text NOT NULL,
  PRIMARY KEY (shop_id, gram, at, case_id)
);
CREATE INDEX note_gram_at ON note_gram USING brin (at) WITH (pages_per_range = 32, autosummarize = on);
INSERT INTO note_gram (shop_id, gram, at, case_id)
SELECT DISTINCT h.shop_id, g, h.at, h.case_id FROM happening h CROSS JOIN LATERAL unnest(note_grams(h.what)) g
WHERE h.kind = 'note' AND h.at > moment() - interval '90 days';
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0021_step_reset")]  # noqa: RUF012
    operations = [migrations.RunSQL(CREATE, "DROP TABLE note_gram; DROP FUNCTION note_grams(text)")]  # noqa: RUF012
