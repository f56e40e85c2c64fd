-- A job as people see it, and its place in procrastinate's queue. A job's times are real time.

-- name: add
INSERT INTO job (kind, shop_id, by_whom, asked, created_at)
VALUES (%(kind)s, %(shop_id)s, %(by)s, %(asked)s, %(now)s) RETURNING id

-- name: defer
SELECT procrastinate_defer_jobs_v1(ARRAY[ROW(%(queue)s, %(task)s, 0, NULL, NULL, jsonb_build_object('job_id', %(id)s::bigint),
  NULL)::procrastinate_job_to_defer_v1])

-- name: stop
UPDATE job SET stop_asked = true, state = CASE WHEN state = 'waiting' THEN 'stopped' ELSE state END,
  ended_at = CASE WHEN state = 'waiting' THEN clock_timestamp() END,
  said = CASE WHEN state = 'waiting' THEN '还没有开始就停止了，什么都没有做。' ELSE said END
WHERE id = %(id)s AND by_whom = %(by)s AND state IN ('waiting', 'running') RETURNING id

-- Is there anything that nobody runs: waiting, or left by a worker that is gone?
-- name: due
SELECT EXISTS (SELECT FROM procrastinate_jobs WHERE status = 'todo' AND queue_name = %(queue)s
    AND (scheduled_at IS NULL OR scheduled_at <= now()))
  OR EXISTS (SELECT FROM procrastinate_jobs j LEFT JOIN procrastinate_workers w ON w.id = j.worker_id
    WHERE j.status = 'doing' AND j.queue_name = %(queue)s
      AND (w.id IS NULL OR w.last_heartbeat < now() - make_interval(secs => %(lease_s)s)))

-- name: take
UPDATE job SET state = 'running', tries = tries + 1, started_at = coalesce(started_at, clock_timestamp())
WHERE id = %(id)s AND state IN ('waiting', 'running') AND NOT stop_asked
RETURNING id, kind, shop_id, by_whom, asked, tries

-- name: give_back
UPDATE job SET state = 'waiting', tries = tries - 1 WHERE id = %(id)s AND state = 'running' RETURNING id

-- name: move
UPDATE job SET done = %(done)s, total = %(total)s WHERE id = %(id)s RETURNING stop_asked

-- name: stop_asked
SELECT stop_asked FROM job WHERE id = %(id)s

-- name: finish
UPDATE job SET state = %(state)s, result = %(result)s, said = %(said)s, ended_at = clock_timestamp()
WHERE id = %(id)s AND state IN ('waiting', 'running')

-- name: attach
INSERT INTO job_file (job_id, name, mime, body) VALUES (%(id)s, %(name)s, %(mime)s, %(body)s)
ON CONFLICT (job_id, name) DO UPDATE SET mime = excluded.mime, body = excluded.body

-- name: forget_files
DELETE FROM job_file WHERE id IN (SELECT id FROM job_file WHERE at < clock_timestamp() - make_interval(days => %(days)s) LIMIT 100)

-- name: forget_queue
DELETE FROM procrastinate_jobs WHERE id IN (SELECT id FROM procrastinate_jobs
  WHERE status NOT IN ('todo', 'doing') AND queue_name = %(queue)s LIMIT 1000)
