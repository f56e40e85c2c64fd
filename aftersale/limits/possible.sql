-- The book `possible` as a function; limits/possible.py fills in what stands in braces. No row: nothing speaks against it.

-- name: impossible
CREATE OR REPLACE FUNCTION impossible(shop int, case_id text, attempt text)
RETURNS TABLE (why text, said text)
LANGUAGE sql STABLE AS $impossible$
SELECT ({reasons})[n.rule_no], ({said})[n.rule_no]
FROM case_facts f CROSS JOIN LATERAL (SELECT {rule_no} AS rule_no) n
WHERE f.shop_id = impossible.shop AND f.case_id = impossible.case_id AND n.rule_no > 0
$impossible$
