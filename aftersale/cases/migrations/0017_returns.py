"""Parcels that came back, as the warehouse scanned them."""

from django.db import migrations

CREATE = """
-- One scanned parcel. `key` is the form's own id, so that a repeat changes nothing. `due_at`: when the record is told;
-- until then it can be taken back and nothing has happened. A nameless parcel is never told.
CREATE TABLE return_scan (
  shop_id int NOT NULL,
  id bigint GENERATED ALWAYS AS IDENTITY,
  key uuid NOT NULL,
  waybill text NOT NULL CHECK (length(waybill) BETWEEN 1 AND 64),
  found text NOT NULL CHECK (found IN ('case', 'order', 'linked', 'anonymous')),
  by_whom text NOT NULL, at timestamptz NOT NULL,
  phone_tail text CHECK (phone_tail ~ '^[0-9]{4}$'),
  weight_g int CHECK (weight_g BETWEEN 1 AND 1000000),
  goods text CHECK (length(goods) <= 100), remark text CHECK (length(remark) <= 500),
  due_at timestamptz, told_at timestamptz,
  undone_at timestamptz, undone_by text, undone_why text,
  CHECK ((undone_at IS NULL) = (undone_by IS NULL)),
  CHECK ((found <> 'anonymous' OR due_at IS NULL AND told_at IS NULL) IS TRUE),
  PRIMARY KEY (shop_id, id)
);
-- A parcel is here once, whoever scans it, and a form is counted once.
CREATE UNIQUE INDEX return_scan_live ON return_scan (shop_id, waybill) WHERE undone_at IS NULL;
CREATE UNIQUE INDEX return_scan_key ON return_scan (shop_id, key);
CREATE INDEX return_scan_due ON return_scan (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX return_scan_day ON return_scan (shop_id, at);

CREATE TABLE return_scan_case (
  shop_id int NOT NULL, scan_id bigint NOT NULL, case_id text NOT NULL,
  order_id text NOT NULL,
  PRIMARY KEY (shop_id, scan_id, case_id),
  FOREIGN KEY (shop_id, scan_id) REFERENCES return_scan ON UPDATE CASCADE
);
CREATE INDEX return_scan_case_case ON return_scan_case (shop_id, case_id);

-- Each piece that should be in the parcel or was in it. `case_id` null: an order's parcel that nobody received.
CREATE TABLE return_scan_unit (
  shop_id int NOT NULL, scan_id bigint NOT NULL, no int NOT NULL CHECK (no > 0),
  case_id text, order_id text NOT NULL, line_id text,
  title text NOT NULL, sku text,
  condition text NOT NULL CHECK (condition IN ('intact', 'damaged', 'missing_item', 'wrong_item', 'swapped')),
  PRIMARY KEY (shop_id, scan_id, no),
  FOREIGN KEY (shop_id, scan_id) REFERENCES return_scan ON UPDATE CASCADE
);
CREATE INDEX return_scan_unit_case ON return_scan_unit (shop_id, case_id);

-- Photographs of a parcel; the picture itself is kept with the evidence of `kept_in`, the shop that scanned it.
CREATE TABLE return_scan_photo (
  shop_id int NOT NULL, scan_id bigint NOT NULL, sha256 text NOT NULL,
  kept_in int NOT NULL,
  by_whom text NOT NULL, at timestamptz NOT NULL,
  PRIMARY KEY (shop_id, scan_id, sha256),
  FOREIGN KEY (shop_id, scan_id) REFERENCES return_scan ON UPDATE CASCADE,
  FOREIGN KEY (kept_in, sha256) REFERENCES evidence_file (shop_id, sha256)
);

-- What the record was last told of a waybill, so that the next telling is newer and a repeat is none.
CREATE TABLE return_told (
  shop_id int NOT NULL, waybill text NOT NULL,
  version bigint NOT NULL, success bool NOT NULL, condition text, at timestamptz NOT NULL,
  PRIMARY KEY (shop_id, waybill)
);
"""

DROP = """
DROP TABLE return_told; DROP TABLE return_scan_photo; DROP TABLE return_scan_unit; DROP TABLE return_scan_case; DROP TABLE return_scan
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0016_work_orders")]  # noqa: RUF012
    operations = [migrations.RunSQL(CREATE, DROP)]  # noqa: RUF012
