-- Jobs of one person. Seconds are real.

-- name: mine
SELECT j.id, j.kind, s.code AS shop_code, s.name AS shop_name, j.state, j.done, j.total, j.asked::text AS asked,
  j.result::text AS result, j.said, j.created_at, j.stop_asked,
  extract(epoch FROM coalesce(j.ended_at, clock_timestamp()) - j.started_at)::float8 AS took_s
FROM job j LEFT JOIN shop s ON s.id = j.shop_id
WHERE j.by_whom = %(by)s AND (%(id)s::bigint IS NULL OR j.id = %(id)s) AND (%(before)s::bigint IS NULL OR j.id < %(before)s)
ORDER BY j.id DESC LIMIT %(rows)s

-- name: files
SELECT f.id, f.job_id, f.name, f.mime, octet_length(f.body)::bigint AS bytes FROM job_file f JOIN job j ON j.id = f.job_id
WHERE j.by_whom = %(by)s AND f.job_id = %(id)s ORDER BY f.id

-- name: file
SELECT f.name, f.mime, f.body FROM job_file f JOIN job j ON j.id = f.job_id
WHERE j.by_whom = %(by)s AND f.job_id = %(id)s AND f.id = %(file)s
