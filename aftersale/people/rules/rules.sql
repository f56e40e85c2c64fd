-- What each rule did lately: cases it decided, money that went out in its name, and how many of them the platform took over.
-- name: figures
WITH lately AS (
  SELECT DISTINCT shop_id, case_id, rule FROM decision
  WHERE decided_at >= %(since)s AND shop_id = ANY (%(shop_ids)s::int[]))
SELECT l.rule, count(*)::int AS cases, coalesce(sum(p.fen), 0)::bigint AS paid_fen,
  (count(*) FILTER (WHERE c.intervened))::int AS disputes
FROM lately l
JOIN cases c ON c.shop_id = l.shop_id AND c.case_id = l.case_id
LEFT JOIN (
  SELECT i.shop_id, i.case_id, i.planned_by, sum(i.amount_fen) AS fen FROM intent i
  WHERE i.money AND i.state = 'done' AND i.shop_id = ANY (%(shop_ids)s::int[]) AND i.changed_at >= %(since)s
  GROUP BY 1, 2, 3) p ON p.shop_id = l.shop_id AND p.case_id = l.case_id AND p.planned_by = 'rule:' || l.rule
GROUP BY l.rule

-- name: upload
INSERT INTO upload (shop_id, by_whom, name, body) VALUES (%(shop)s, %(by)s, %(name)s, %(body)s) RETURNING id
