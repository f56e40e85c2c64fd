-- Which book decides which of the shops in the batch; without a release the one that came with the software.
-- name: groups
SELECT r.id, r.version, array_agg(t.shop_id)
FROM (SELECT DISTINCT shop_id FROM touched) t
LEFT JOIN book_live l ON l.shop_id = t.shop_id AND l.book = %(book)s
LEFT JOIN book_release r ON r.id = l.release_id
GROUP BY r.id, r.version ORDER BY r.id NULLS FIRST

-- name: text
SELECT text FROM book_release WHERE id = %(release)s

-- name: pin
UPDATE verdict SET book_version = %(version)s WHERE shop_id = ANY (%(shops)s)

-- A release that cannot be read any more pays nothing: the software's book advises, people decide.
-- name: hold
UPDATE verdict SET money = false, kinds = '{}', queue = coalesce(queue, 'data_missing')
WHERE shop_id = ANY (%(shops)s) AND kinds <> '{}'
