-- Made-up cases in the field's proportions, in the order of application. u(n): a number in [0, 1) for a row, always the same.

-- name: chance
CREATE OR REPLACE MACRO u(i, n) AS (hash(i * 64 + n) % 1000003) / 1000003.0

-- name: cases
SELECT
  'tmall' AS platform, kind AS aftersale_type, state,
  CASE WHEN u(i, 1) < 0.7 THEN 'onsale' ELSE 'aftersale' END AS phase,
  CASE kind
    WHEN 'unshipped_refund_only' THEN ['no_longer_want', 'no_longer_want', 'wrong_purchase', 'missed_seckill', 'address_change', 'late_ship'][1 + (u(i, 2) * 5.99)::INT % 6]
    WHEN 'shipped_refund_only' THEN ['no_longer_want', 'not_received', 'no_tracking', 'courier_damage', 'missing_item'][1 + (u(i, 2) * 4.99)::INT % 5]
    WHEN 'return_refund' THEN ['seven_day_no_reason', 'dislike', 'quality', 'defect', 'description_mismatch'][1 + (u(i, 2) * 4.99)::INT % 5]
    WHEN 'price_diff_refund' THEN 'price_drop'
    ELSE 'wrong_item' END AS reason,
  CASE WHEN kind = 'price_diff_refund' OR u(i, 3) < 0.1 THEN price_fen // 3 WHEN u(i, 3) > 0.997 THEN price_fen + 100 WHEN u(i, 3) > 0.995 THEN NULL ELSE price_fen END AS amount_fen,
  applied_at, ((epoch(applied_at)::BIGINT // 60 + 480) % 1440)::INTEGER AS applied_minute,
  kind IN ('return_refund', 'exchange') AND u(i, 4) < 0.9 AS received,
  applied_at + INTERVAL 48 HOURS AS due_at,
  u(i, 5) < 0.01 AS intervened, u(i, 6) < 0.1 AS zero_second_covered, u(i, 7) < 0.01 AS platform_initiated,
  u(i, 8) < 0.55 AS freight_insurance,
  CASE WHEN back THEN '88' || (hash(i) % 1000000000000)::VARCHAR END AS return_tracking_no,
  CASE WHEN u(i, 9) < 0.03 THEN 'cannot_refuse' WHEN u(i, 9) < 0.035 THEN 'web_only' ELSE 'none' END AS operation_limit,
  CASE WHEN u(i, 10) < 0.15 THEN 1 ELSE 0 END::INTEGER AS modification_count,
  CASE WHEN u(i, 11) < 0.05 THEN 1 ELSE 0 END::INTEGER AS refusal_count,
  CASE WHEN u(i, 12) < 0.97 THEN price_fen END AS paid_fen, price_fen AS item_value_fen, 1000::BIGINT AS return_freight_fen,
  CASE WHEN presale THEN 'presale' ELSE 'spot' END AS order_kind, presale AND u(i, 13) < 0.2 AS presale_deposit,
  CASE WHEN promo THEN 'double11' ELSE 'none' END AS promo,
  CASE WHEN promo THEN TIMESTAMPTZ '2026-11-11 16:00:00+00' END AS promo_ended_at,
  CASE WHEN promo AND presale THEN TIMESTAMPTZ '2026-11-11 16:00:00+00' END AS locked_until,
  shipped, CASE WHEN shipped THEN applied_at - to_minutes((u(i, 14) * 7000)::INTEGER + 200) END AS shipped_at,
  u(i, 15) < 0.03 AS perishable, u(i, 16) < 0.01 AS return_prohibited,
  CASE WHEN shipped THEN 'shipped' ELSE ['unprinted', 'unprinted', 'hold', 'printed', 'packing'][1 + (u(i, 17) * 4.99)::INT % 5] END AS warehouse_state,
  CASE WHEN NOT shipped AND u(i, 18) < 0.1 THEN true END AS erp_cancel_confirmed, NULL::BOOLEAN AS erp_intercept_result,
  CASE WHEN shipped THEN applied_at - to_minutes((u(i, 14) * 7000)::INTEGER) END AS handed_over_at,
  tracking AS tracking_state, CASE WHEN shipped THEN 3 END::INTEGER AS tracking_events,
  CASE WHEN shipped THEN applied_at - to_minutes((u(i, 19) * 5000)::INTEGER) END AS last_tracking_at,
  CASE WHEN tracking = 'signed' THEN applied_at - to_minutes((u(i, 20) * 12000)::INTEGER) END AS signed_at,
  CASE WHEN tracking = 'signed' THEN ['self', 'self', 'family', 'station', 'locker'][1 + (u(i, 21) * 4.99)::INT % 5] END AS signed_by,
  CASE WHEN intercepted AND u(i, 22) < 0.5 THEN 'requested' WHEN intercepted AND u(i, 22) < 0.85 THEN 'succeeded' WHEN intercepted THEN 'failed' END AS interception,
  CASE WHEN intercepted THEN applied_at + to_minutes((u(i, 23) * 300)::INTEGER) END AS intercept_requested_at,
  CASE WHEN back THEN ['picked_up', 'in_transit', 'in_transit', 'signed'][1 + (u(i, 24) * 3.99)::INT % 4] END AS return_tracking_state,
  CASE WHEN back THEN 3 END::INTEGER AS return_tracking_events,
  CASE WHEN back AND u(i, 24) > 0.75 THEN applied_at + INTERVAL 70 HOURS END AS return_signed_at,
  CASE WHEN back AND u(i, 25) < 0.4 THEN true END AS inbound_success,
  CASE WHEN back AND u(i, 25) < 0.4 THEN applied_at + INTERVAL 80 HOURS END AS inbound_at,
  CASE WHEN back AND u(i, 25) < 0.36 THEN 'intact' WHEN back AND u(i, 25) < 0.4 THEN 'damaged' END AS inbound_condition,
  CASE WHEN back THEN ['own', 'third_party', 'cainiao'][1 + (u(i, 26) * 2.99)::INT % 3] END AS warehouse_kind,
  CASE WHEN u(i, 27) < 0.05 THEN u(i, 28) < 0.5 END AS buyer_wants_goods, CASE WHEN u(i, 29) < 0.03 THEN true END AS courier_checked,
  CASE WHEN u(i, 30) < 0.05 THEN u(i, 31) < 0.5 END AS goods_problem, CASE WHEN u(i, 32) < 0.05 THEN u(i, 33) < 0.5 END AS resaleable,
  CASE WHEN kind = 'price_diff_refund' AND u(i, 34) < 0.5 THEN true END AS difference_confirmed,
  CASE WHEN u(i, 35) < 0.05 THEN ['seller', 'buyer', 'courier', 'none'][1 + (u(i, 36) * 3.99)::INT % 4] END AS fault,
  CASE WHEN u(i, 37) < 0.1 THEN 1 END::INTEGER AS contact_count
FROM (
  SELECT *,
    kind = 'return_refund' AND state IN ('return_shipped', 'refunded') AS back,
    CASE WHEN kind IN ('return_refund', 'exchange') THEN 'signed'
      WHEN shipped THEN ['no_tracking', 'picked_up', 'in_transit', 'in_transit', 'in_transit', 'out_for_delivery', 'waiting_pickup', 'signed', 'refused', 'returning'][1 + (u(i, 40) * 9.99)::INT % 10] END AS tracking,
    kind = 'shipped_refund_only' AND u(i, 41) < 0.5 AS intercepted
  FROM (
    SELECT *, kind IN ('shipped_refund_only', 'return_refund', 'exchange') AS shipped,
      CASE WHEN u(i, 42) < 0.45 THEN 'applied' WHEN u(i, 42) < 0.75 THEN 'refunded' WHEN u(i, 42) < 0.87 THEN 'closed' WHEN u(i, 42) < 0.9 THEN 'seller_refused'
        WHEN kind <> 'return_refund' THEN 'applied' WHEN u(i, 42) < 0.95 THEN 'return_agreed' ELSE 'return_shipped' END AS state
    FROM (
      SELECT i, TIMESTAMPTZ '2026-11-11 02:00:00+00' - to_seconds(({rows} - i) // 4) AS applied_at, u(i, 43) < 0.4 AS promo, u(i, 44) < 0.06 AS presale,
        [1990, 2980, 3990, 4590, 6900, 8900, 9900, 11800, 15900, 19900, 22900, 32900][1 + (u(i, 45) * 11.99)::INT % 12]::BIGINT AS price_fen,
        CASE WHEN u(i, 46) < 0.53 THEN 'unshipped_refund_only' WHEN u(i, 46) < 0.69 THEN 'shipped_refund_only' WHEN u(i, 46) < 0.93 THEN 'return_refund'
          WHEN u(i, 46) < 0.97 THEN 'exchange' ELSE 'price_diff_refund' END AS kind
      FROM range({rows}) AS numbers(i))))
