"""Drafts of a rulebook that are tried on live cases, and what they would have done."""

from django.db import migrations

CREATE = """
-- One draft of a shop at a time. share_percent 0: it only watches; above it decides that share of the cases itself,
-- until the money it paid out on its own reaches budget_fen.
CREATE TABLE draft (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shop_id int NOT NULL REFERENCES shop (id), book_version text NOT NULL REFERENCES book_version (version),
  settings jsonb NOT NULL DEFAULT '{}',
  share_percent int NOT NULL DEFAULT 0 CHECK (share_percent BETWEEN 0 AND 100),
  budget_fen bigint NOT NULL DEFAULT 0 CHECK (budget_fen >= 0),
  spent_fen bigint NOT NULL DEFAULT 0, CHECK ((spent_fen BETWEEN 0 AND budget_fen) IS TRUE),
  started_by text NOT NULL, started_at timestamptz NOT NULL, ended_by text, ended_at timestamptz
);
CREATE UNIQUE INDEX draft_one_live ON draft (shop_id) WHERE ended_at IS NULL;

-- The latest word of a draft on a case, beside the published book's at the same moment.
CREATE TABLE shadow (
  draft_id bigint NOT NULL REFERENCES draft (id), shop_id int NOT NULL, case_id text NOT NULL,
  decided_at timestamptz NOT NULL, canary bool NOT NULL,
  rule text NOT NULL, action text NOT NULL, queue text, amount_fen bigint, money bool NOT NULL,
  live_rule text NOT NULL, live_action text NOT NULL, live_queue text, live_amount_fen bigint, live_money bool NOT NULL,
  PRIMARY KEY (draft_id, shop_id, case_id)
);
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0002_api_token")]  # noqa: RUF012
    operations = [migrations.RunSQL(CREATE, "DROP TABLE shadow; DROP TABLE draft")]  # noqa: RUF012
