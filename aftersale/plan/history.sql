-- name: shop
SELECT id, settings FROM shop WHERE code = %s

-- name: versions
SELECT version, reads FROM book_version b WHERE book = %s
  AND EXISTS (SELECT FROM decision d WHERE d.shop_id = %s AND d.book_version = b.version) ORDER BY published_at

-- A decision keeps the facts it read as the text of a row; a table of that shape reads it back.
-- name: shape
CREATE TEMP TABLE {shape} ({columns}) ON COMMIT DROP

-- name: decisions
COPY (
  SELECT d.case_id, d.decided_at, d.rule, d.action, d.queue, {facts}
  FROM decision d CROSS JOIN LATERAL (SELECT d.facts::{shape} AS read OFFSET 0) f
  WHERE d.shop_id = {shop} AND d.book_version = {version} AND {which} AND d.decided_at >= {since}
) TO STDOUT (FORMAT csv)

-- name: first
NOT EXISTS (SELECT FROM decision e WHERE e.shop_id = d.shop_id AND e.case_id = d.case_id AND e.id < d.id)

-- name: last
NOT EXISTS (SELECT FROM decision e WHERE e.shop_id = d.shop_id AND e.case_id = d.case_id AND e.id > d.id)

-- name: all
true
