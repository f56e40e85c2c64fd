-- The book `permissions` as a function; limits/publish.py fills in what stands in braces.

-- name: permitted
CREATE OR REPLACE FUNCTION permitted(
  shop int, role text, action text, amount_fen bigint, channel text, max_amount_fen bigint DEFAULT NULL,
  presale_deposit bool DEFAULT NULL, reviewed bool DEFAULT NULL, refund_right bool DEFAULT NULL,
  during_promo bool DEFAULT NULL, helper_job text DEFAULT NULL, access_ends_at timestamptz DEFAULT NULL,
  account text DEFAULT NULL)
RETURNS TABLE (allowed bool, why text, needs_approval bool, account_required text, rule text)
LANGUAGE sql STABLE AS $permitted$
WITH g AS (
  SELECT permitted.role AS role, permitted.action AS action, permitted.amount_fen AS amount,
    permitted.max_amount_fen AS max_amount, permitted.presale_deposit AS presale_deposit,
    permitted.reviewed AS reviewed, permitted.refund_right AS refund_right, permitted.during_promo AS during_promo,
    permitted.helper_job AS helper_job, permitted.access_ends_at AS access_ends_at, permitted.account AS account,
    (SELECT platform FROM shop s WHERE s.id = permitted.shop) AS platform,
    {executor} AS executor, moment() AS at),
s AS (SELECT {settings}),
n AS (SELECT {rule_no} AS rule_no FROM g, s)
SELECT coalesce({allowed}, false), {why}, coalesce({needs_approval}, false), {account_required},
  ({rules})[n.rule_no + 1]
FROM n, g, s
$permitted$

-- name: named
COMMENT ON FUNCTION permitted IS {hash}

-- name: forget
DELETE FROM setting_default WHERE (name = ANY (%(names)s)) IS NOT TRUE

-- name: setting
INSERT INTO setting_default AS d (name, value, by_platform, book)
VALUES (%(name)s, %(value)s::jsonb, %(by_platform)s::jsonb, %(book)s)
ON CONFLICT (name) DO UPDATE SET value = excluded.value, by_platform = excluded.by_platform, book = excluded.book
WHERE (d.value, d.by_platform, d.book) IS DISTINCT FROM (excluded.value, excluded.by_platform, excluded.book)

-- name: published
INSERT INTO books_published (hash) VALUES (%s) ON CONFLICT (hash) DO UPDATE SET at = clock_timestamp()

-- name: known
SELECT EXISTS (SELECT FROM books_published WHERE hash = %s)
