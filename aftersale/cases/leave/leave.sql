-- name: hand_back
WITH back AS (
  UPDATE queue_item SET owner = NULL WHERE shop_id = %(shop_id)s AND owner = %(owner)s RETURNING case_id)
INSERT INTO happening (shop_id, case_id, at, kind, actor, what)
SELECT %(shop_id)s, case_id, %(now)s, 'assign', %(by)s, '→ -' FROM back
