-- The wall between shops in the database: requests of people run as aftersale_people, who reads and writes only rows of
-- the shops named by the session. Workers, commands and the owner of the tables are not held up by it.

-- name: exists
SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = 'aftersale_people') IS TRUE

-- name: may_become
-- Set the role: yes. Have its rights, and so its wall, all the time: no.
SELECT (pg_has_role(%(app)s, 'aftersale_people', 'MEMBER') AND NOT pg_has_role(%(app)s, 'aftersale_people', 'USAGE')) IS TRUE

-- name: grants
-- What the application may, people may, behind the wall; but nobody at a page reads a shop's secrets.
SELECT format('GRANT %%s ON %%s %%I TO aftersale_people', string_agg(DISTINCT a.privilege_type, ', '),
  CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.relname)
FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a JOIN pg_roles r ON r.oid = a.grantee
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S') AND r.rolname = %(app)s
  AND a.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE', 'USAGE')
  AND NOT EXISTS (SELECT FROM aclexplode(c.relacl) p JOIN pg_roles q ON q.oid = p.grantee
    WHERE q.rolname = 'aftersale_people' AND p.privilege_type = a.privilege_type)
  AND (c.relname = 'shop' AND a.privilege_type = 'SELECT') IS NOT TRUE
GROUP BY c.relkind, c.relname
UNION ALL
SELECT format('GRANT SELECT (%%s) ON shop TO aftersale_people', string_agg(quote_ident(attname), ', '))
FROM pg_attribute WHERE attrelid = 'shop'::regclass AND attnum > 0 AND NOT attisdropped
  AND attname NOT IN ('app_secret', 'session_key', 'courier_secret', 'push_secrets')

-- name: revokes
-- What the application no longer may, nor may people.
SELECT format('REVOKE %%s ON %%I FROM aftersale_people', string_agg(DISTINCT p.privilege_type, ', '), c.relname)
FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) p JOIN pg_roles q ON q.oid = p.grantee
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm') AND q.rolname = 'aftersale_people'
  AND NOT EXISTS (SELECT FROM aclexplode(c.relacl) a JOIN pg_roles r ON r.oid = a.grantee
    WHERE r.rolname = %(app)s AND a.privilege_type = p.privilege_type)
GROUP BY c.relname

-- name: walls
-- `everyone` lets all roles do what they could before, `people` then holds back one role. 0 stands for all shops. What is
-- NULL concerns no single shop. Whatever is done may be written to the audit log, also by who is no member yet.
WITH w AS (
  SELECT c.relname, a.attnotnull,
    'shop_id = ANY ((SELECT nullif(current_setting(''aftersale.shops'', true), '''')::int[])::int[])' AS theirs
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'shop_id' AND NOT a.attisdropped
  WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
    AND c.relname <> ALL (%(open)s)
    AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'people'))
SELECT format('ALTER TABLE %%1$I ENABLE ROW LEVEL SECURITY; CREATE POLICY everyone ON %%1$I USING (true); '
  'CREATE POLICY people ON %%1$I AS RESTRICTIVE TO aftersale_people USING (%%2$s) WITH CHECK (%%3$s)', relname,
  CASE WHEN attnotnull THEN theirs ELSE theirs
    || ' OR shop_id IS NULL AND (SELECT nullif(current_setting(''aftersale.shops'', true), '''') IS NOT NULL)' END,
  CASE WHEN relname = 'audit' THEN 'true' WHEN attnotnull THEN theirs ELSE theirs || ' OR shop_id IS NULL' END)
FROM w ORDER BY relname

-- name: views
-- A view reads as who asks, not as its owner, for whom there is no wall.
SELECT format('ALTER VIEW %%I SET (security_invoker = true)', relname)
FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'v'
  AND (reloptions @> ARRAY['security_invoker=true']) IS NOT TRUE

-- name: stand
SELECT set_config('role', 'aftersale_people', false), set_config('aftersale.shops', %(shops)s, false)

-- name: leave
SELECT set_config('role', 'none', false), set_config('aftersale.shops', '', false)
