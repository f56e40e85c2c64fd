"""A return waybill under which goods came for somebody else is known as such, with whose they are."""

from importlib import import_module

from django.db import migrations

_BEFORE = import_module("aftersale.cases.migrations.0005_tracking_doubt").CREATE
DROP = "DROP VIEW case_facts; " + _BEFORE[_BEFORE.index("CREATE OR REPLACE VIEW") :]

CREATE = """
CREATE OR REPLACE VIEW case_facts AS
SELECT c.shop_id, c.case_id, c.order_id, c.application_version, c.platform,
  c.aftersale_type, c.state, c.phase, c.reason, c.amount_fen, c.applied_at, c.applied_minute, c.received, c.due_at,
  c.intervened, c.zero_second_covered, c.platform_initiated, c.freight_insurance, c.return_tracking_no,
  c.operation_limit, c.modification_count, c.refusal_count,
  c.buyer_wants_goods, c.courier_checked, c.goods_problem, c.resaleable, c.difference_confirmed, c.fault,
  c.contact_count,
  o.paid_fen, o.item_value_fen, o.return_freight_fen, o.order_kind, o.presale_deposit, o.promo, o.promo_ended_at,
  o.locked_until, o.shipped, o.shipped_at, o.perishable, o.return_prohibited,
  o.warehouse_state, o.erp_cancel_confirmed, o.erp_intercept_result, o.handed_over_at,
  p.tracking_state, p.tracking_events, p.last_tracking_at,
  CASE WHEN p.tracking_state = 'signed' THEN p.signed_at END AS signed_at, p.signed_by,
  p.interception, p.intercept_requested_at,
  r.tracking_state AS return_tracking_state, r.tracking_events AS return_tracking_events,
  r.signed_at AS return_signed_at,
  r.inbound_success, r.inbound_at, r.inbound_condition, r.warehouse_kind,
  CASE WHEN p.tracking_state IS NOT NULL THEN p.tracking_doubt IS NOT NULL END AS tracking_doubtful,
  k.who AS return_parcel_of
FROM cases c
LEFT JOIN orders o ON o.shop_id = c.shop_id AND o.order_id = c.order_id
LEFT JOIN parcel p ON p.shop_id = o.shop_id AND p.tracking_no = o.tracking_no
LEFT JOIN parcel r ON r.shop_id = c.shop_id AND r.tracking_no = c.return_tracking_no
-- Who else has a claim to what came under the return waybill; nobody, once this case's own goods were scanned and the
-- record knows of it. Asked of parcels that were received only, and once a row.
LEFT JOIN LATERAL (
  SELECT CASE WHEN a.who IS NOT NULL AND NOT EXISTS (
      SELECT FROM return_scan_case m JOIN return_scan s ON s.shop_id = m.shop_id AND s.id = m.scan_id
      WHERE m.shop_id = c.shop_id AND m.case_id = c.case_id AND s.undone_at IS NULL AND s.told_at IS NOT NULL
        AND NOT EXISTS (SELECT FROM return_told t WHERE t.shop_id = c.shop_id AND t.waybill = c.return_tracking_no
          AND t.version > r.inbound_version)) THEN a.who END AS who
  FROM (
    SELECT min(u.who) AS who FROM (
      SELECT x.case_id AS who FROM cases x
      WHERE x.shop_id = c.shop_id AND x.return_tracking_no = c.return_tracking_no AND x.case_id <> c.case_id
      UNION ALL
      SELECT coalesce(n.case_id, n.order_id) FROM return_scan s
      JOIN return_scan_unit n ON n.shop_id = s.shop_id AND n.scan_id = s.id
      WHERE s.shop_id = c.shop_id AND s.waybill = c.return_tracking_no AND s.undone_at IS NULL
        AND (n.case_id <> c.case_id OR n.case_id IS NULL AND n.order_id <> c.order_id)
      UNION ALL
      SELECT y.order_id FROM orders y
      WHERE y.shop_id = c.shop_id AND y.tracking_no = c.return_tracking_no AND y.order_id <> c.order_id) u
    WHERE r.inbound_success) a
  OFFSET 0) k ON true
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0019_jobs")]  # noqa: RUF012
    operations = [migrations.RunSQL(CREATE, DROP)]  # noqa: RUF012
