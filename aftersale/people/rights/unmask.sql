-- name: buyer
SELECT 'buyer_ref' AS name, c.buyer_ref AS text, NULL::timestamptz AS at FROM cases c
WHERE c.shop_id = %(shop_id)s AND c.case_id = %(case_id)s AND c.buyer_ref IS NOT NULL

-- name: words
SELECT 'reason_text' AS name, c.reason_text AS text, c.applied_at AS at FROM cases c
WHERE c.shop_id = %(shop_id)s AND c.case_id = %(case_id)s AND c.reason_text IS NOT NULL
UNION ALL
SELECT h.actor, h.what, h.at FROM happening h
WHERE h.shop_id = %(shop_id)s AND h.case_id = %(case_id)s AND h.kind IN ('message', 'note')
ORDER BY at DESC NULLS LAST LIMIT 200
