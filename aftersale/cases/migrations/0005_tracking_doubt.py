"""A courier's trace that cannot be read for sure is known as such, with the reason."""

from django.db import migrations

CREATE = """
ALTER TABLE parcel ADD COLUMN tracking_doubt text;
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
  CASE WHEN p.tracking_state IS NOT NULL THEN p.tracking_doubt IS NOT NULL END AS tracking_doubtful
FROM cases c
LEFT JOIN orders o ON o.shop_id = c.shop_id AND o.order_id = c.order_id
LEFT JOIN parcel p ON p.shop_id = o.shop_id AND p.tracking_no = o.tracking_no
LEFT JOIN parcel r ON r.shop_id = c.shop_id AND r.tracking_no = c.return_tracking_no
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0004_setting_log")]  # noqa: RUF012
    operations = [migrations.RunSQL(CREATE, migrations.RunSQL.noop)]  # noqa: RUF012
