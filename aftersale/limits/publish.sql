-- The book `permissions` as a function; limits/publish.py fills in what stands in braces. Its twenty settings are read at
-- once.

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
t AS MATERIALIZED (SELECT jsonb_object_agg(d.name,
    setting_value(h.settings -> d.name, d.by_platform -> h.platform, d.value)) AS told
  FROM setting_default d LEFT JOIN shop h ON h.id = permitted.shop WHERE d.name = ANY (ARRAY[{names}])),
s AS (SELECT {settings} FROM t),
n AS (SELECT {rule_no} AS rule_no FROM g, s)
SELECT coalesce({allowed}, false), {why}, coalesce({needs_approval}, false), {account_required},
  ({rules})[n.rule_no + 1]
FROM n, g, s
$permitted$

-- What a person may do, for whoever asks of many cases: one plan, made ready once. An argument with a subquery would keep
-- `permitted` out of it.
-- name: each
CREATE OR REPLACE FUNCTION person_permitted_each(
  shop int, person text, kind text, amount_fen bigint, channel text, order_id text, case_id text)
RETURNS TABLE (allowed bool, why text, needs_approval bool, account_required text) LANGUAGE sql STABLE AS $each$
SELECT q.allowed IS TRUE, CASE WHEN q.member THEN q.why ELSE 'role_or_action_unknown' END, q.needs_approval IS TRUE,
  q.account_required
FROM (SELECT) nobody LEFT JOIN LATERAL (
  SELECT true AS member, p.allowed, p.why, p.needs_approval, p.account_required
  FROM membership m JOIN auth_user u ON u.id = m.user_id AND u.is_active
  LEFT JOIN orders o ON o.shop_id = m.shop_id AND o.order_id = person_permitted_each.order_id
  CROSS JOIN LATERAL (SELECT max(t.max_amount_fen) AS fen, bool_or(t.refund_right) AS refunds FROM temporary_right t
    WHERE t.user_id = m.user_id AND t.shop_id = m.shop_id AND t.ended_at IS NULL
      AND t.ends_at > moment() AND t.starts_at <= moment()) more
  CROSS JOIN LATERAL (SELECT coalesce(sum(i.amount_fen), 0)::bigint AS fen
    FROM cases c JOIN intent i ON i.shop_id = c.shop_id AND i.case_id = c.case_id
    WHERE person_permitted_each.amount_fen > 0 AND c.shop_id = m.shop_id AND c.order_id = person_permitted_each.order_id
      AND c.case_id <> person_permitted_each.case_id AND i.money AND i.approved_by = person_permitted_each.person
      AND i.state NOT IN ('planned', 'cancelled', 'refused')) sisters
  CROSS JOIN LATERAL permitted(m.shop_id, m.role,
    CASE person_permitted_each.kind WHEN 'agree_refund' THEN 'refund' ELSE person_permitted_each.kind END,
    person_permitted_each.amount_fen + sisters.fen,
    person_permitted_each.channel, max_amount_fen => coalesce(
      CASE WHEN person_permitted_each.kind IN ('agree_refund', 'refund', 'batch_refund') THEN more.fen END, m.max_amount_fen),
    presale_deposit => o.presale_deposit, reviewed => true, refund_right => m.refund_right OR more.refunds IS TRUE,
    helper_job => m.helper_job, access_ends_at => m.access_ends_at, account => m.account) p
  WHERE m.shop_id = person_permitted_each.shop AND u.username = person_permitted_each.person
    AND u.username NOT LIKE 'rule:%'  -- that is how rules sign
    AND (m.role <> 'helper' AND m.access_ends_at <= moment()) IS NOT TRUE  -- the book itself ends a helper's
) q ON true
$each$

-- The same for one, with a plan that the session keeps.
-- name: one
CREATE OR REPLACE FUNCTION person_permitted(
  shop int, person text, kind text, amount_fen bigint, channel text, order_id text, case_id text)
RETURNS TABLE (allowed bool, why text, needs_approval bool, account_required text) LANGUAGE plpgsql STABLE AS $one$
BEGIN
  RETURN QUERY SELECT p.* FROM person_permitted_each(shop, person, kind, amount_fen, channel, order_id, case_id) p;
END $one$

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
