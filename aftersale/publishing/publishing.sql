-- name: shop
SELECT settings::text FROM shop WHERE id = %(shop)s

-- name: open
SELECT e.id, e.shop_id, e.book, e.text, e.settings::text AS settings, e.sha256, e.revision, e.authors, e.changed_by, e.changed_at
FROM book_edit e WHERE e.shop_id = %(shop)s AND e.book = %(book)s AND e.ended IS NULL

-- name: open_locked
SELECT e.id, e.shop_id, e.book, e.text, e.settings::text AS settings, e.sha256, e.revision, e.authors, e.changed_by, e.changed_at
FROM book_edit e WHERE e.shop_id = %(shop)s AND e.book = %(book)s AND e.ended IS NULL FOR UPDATE

-- name: begin
INSERT INTO book_edit (shop_id, book, text, settings, sha256, authors, changed_by, changed_at)
VALUES (%(shop)s, %(book)s, %(text)s, %(settings)s::jsonb, %(sha256)s, ARRAY[%(by)s], %(by)s, %(now)s)
ON CONFLICT (shop_id, book) WHERE ended IS NULL DO NOTHING RETURNING id

-- name: save
UPDATE book_edit SET text = %(text)s, settings = %(settings)s::jsonb, sha256 = %(sha256)s, revision = revision + 1,
  authors = CASE WHEN %(by)s = ANY (authors) THEN authors ELSE authors || %(by)s::text END,
  changed_by = %(by)s, changed_at = %(now)s
WHERE id = %(edit)s AND revision = %(revision)s AND ended IS NULL RETURNING id

-- name: void
UPDATE book_approval SET voided_at = %(now)s
WHERE edit_id = %(edit)s AND sha256 <> %(sha256)s AND voided_at IS NULL

-- name: end
UPDATE book_edit SET ended = %(how)s WHERE id = %(edit)s AND ended IS NULL

-- name: ask
INSERT INTO book_approval (edit_id, sha256, asked_by, asked_at, why)
VALUES (%(edit)s, %(sha256)s, %(by)s, %(now)s, %(why)s)
ON CONFLICT (edit_id) WHERE answered_at IS NULL AND voided_at IS NULL DO NOTHING RETURNING id

-- name: approvals
SELECT id, sha256, asked_by, asked_at, why, approved_by, refused_by, answered_at, answer, voided_at
FROM book_approval WHERE edit_id = %(edit)s ORDER BY id DESC LIMIT 20

-- name: answer
UPDATE book_approval SET answered_at = %(now)s, answer = %(answer)s,
  approved_by = CASE WHEN %(yes)s THEN %(by)s::text END, refused_by = CASE WHEN %(yes)s THEN NULL ELSE %(by)s::text END
WHERE id = %(approval)s AND sha256 = %(sha256)s AND answered_at IS NULL AND voided_at IS NULL RETURNING id

-- name: checked
SELECT findings::text FROM book_check WHERE version = %(version)s

-- name: check
INSERT INTO book_check (version, passes, findings, checked_at)
VALUES (%(version)s, %(passes)s, %(findings)s::jsonb, %(now)s)
ON CONFLICT (version) DO NOTHING

-- name: keep_version
INSERT INTO book_version (version, book, text, reads) VALUES (%(version)s, %(book)s, %(text)s, %(reads)s)
ON CONFLICT DO NOTHING

-- name: release
INSERT INTO book_release (shop_id, book, version, text, sha256, settings, shipped, money, authors, approval_id, approved_by,
  back_to, published_by, published_at, why)
VALUES (%(shop)s, %(book)s, %(version)s, %(text)s, %(sha256)s, %(settings)s::jsonb, %(shipped)s, %(money)s, %(authors)s,
  %(approval)s, %(approved_by)s, %(back_to)s, %(by)s, %(now)s, %(why)s) RETURNING id

-- name: live
SELECT r.id, r.text FROM book_live l JOIN book_release r ON r.id = l.release_id
WHERE l.shop_id = %(shop)s AND l.book = %(book)s

-- name: live_of
SELECT r.text FROM shop s JOIN book_live l ON l.shop_id = s.id AND l.book = %(book)s
JOIN book_release r ON r.id = l.release_id WHERE s.code = %(code)s

-- name: point
INSERT INTO book_live (shop_id, book, release_id) VALUES (%(shop)s, %(book)s, %(release)s)
ON CONFLICT (shop_id, book) DO UPDATE SET release_id = excluded.release_id

-- A shop without a row follows the book of the software, whatever version that is.
-- name: unpoint
DELETE FROM book_live WHERE shop_id = %(shop)s AND book = %(book)s

-- name: one_release
SELECT id, shop_id, book, version, text, sha256, settings::text AS settings, shipped, money, authors, approved_by, back_to,
  published_by, published_at, why
FROM book_release WHERE shop_id = %(shop)s AND book = %(book)s AND id = %(release)s

-- name: releases
SELECT id, shop_id, book, version, text, sha256, settings::text AS settings, shipped, money, authors, approved_by, back_to,
  published_by, published_at, why
FROM book_release WHERE shop_id = %(shop)s AND book = %(book)s ORDER BY id DESC LIMIT 100
