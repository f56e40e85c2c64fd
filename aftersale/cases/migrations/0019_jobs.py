"""Jobs: work that takes longer than a page may, with its files; uploads and how their columns were read."""

from django.db import migrations

CREATE = """
-- done of total, null: not known yet. tries: how often a worker took it up. created_at is in the
-- shops' time, the other times are real.
CREATE TABLE job (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind text NOT NULL CHECK (kind ~ '^[a-z][a-z_]{0,39}$'),
  shop_id int REFERENCES shop (id),
  by_whom text NOT NULL CHECK (by_whom <> ''),
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done', 'failed', 'stopped')),
  done bigint NOT NULL DEFAULT 0 CHECK (done >= 0), total bigint CHECK (total >= 0),
  asked jsonb NOT NULL DEFAULT '{}', result jsonb NOT NULL DEFAULT '{}', said text NOT NULL DEFAULT '',
  tries int NOT NULL DEFAULT 0, stop_asked bool NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL, started_at timestamptz, ended_at timestamptz,
  CHECK (((state IN ('done', 'failed', 'stopped')) = (ended_at IS NOT NULL)) IS TRUE)
);
CREATE INDEX job_mine ON job (by_whom, id DESC);
CREATE INDEX job_open ON job (created_at) WHERE state IN ('waiting', 'running');

CREATE TABLE job_file (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  job_id bigint NOT NULL REFERENCES job (id) ON DELETE CASCADE,
  name text NOT NULL CHECK (name <> '' AND length(name) <= 200), mime text NOT NULL, body bytea NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (job_id, name)
);
CREATE INDEX job_file_old ON job_file (at);

-- A merchant's file as it came through the browser, until it is forgotten.
CREATE TABLE upload (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shop_id int NOT NULL REFERENCES shop (id), by_whom text NOT NULL,
  name text NOT NULL CHECK (name <> '' AND length(name) <= 200), body bytea NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX upload_old ON upload (at);

-- Which column is which field, as a person of the shop said for this very header.
CREATE TABLE column_mapping (
  shop_id int NOT NULL REFERENCES shop (id), header text NOT NULL, mapping jsonb NOT NULL,
  by_whom text NOT NULL, at timestamptz NOT NULL, PRIMARY KEY (header, shop_id)
);
"""

DROP = "DROP TABLE column_mapping; DROP TABLE upload; DROP TABLE job_file; DROP TABLE job"


class Migration(migrations.Migration):
    dependencies = [("cases", "0018_rules"), ("procrastinate", "0041_post_retry_failed_job")]  # noqa: RUF012
    operations = [migrations.RunSQL(CREATE, DROP)]  # noqa: RUF012
