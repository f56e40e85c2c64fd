-- The state of the installation, each block by an index or a bounded number of rows: it is asked every few seconds.
-- %(now)s is real time. What is due in the shops' time is turned into real time first. A shop that had access to its
-- platform and has none now (a demo that ended) is not missed.

-- Seconds since the oldest thing of each stage was due; null when nothing is.
-- name: ages
SELECT
  (SELECT extract(epoch FROM %(now)s - a.received_at)::float8 FROM (SELECT arrival_id FROM arrival_todo ORDER BY arrival_id LIMIT 1) t
    JOIN arrival a ON a.id = t.arrival_id) AS arrival,
  (SELECT extract(epoch FROM %(now)s - real_time(at))::float8 FROM look WHERE real_time(at) < %(now)s ORDER BY at LIMIT 1) AS look,
  (SELECT extract(epoch FROM %(now)s - min(f.due_at))::float8 FROM (SELECT due_at FROM to_fetch f JOIN shop s ON s.id = f.shop_id
    WHERE s.base_url IS NOT NULL LIMIT 10000) f WHERE f.due_at < %(now)s) AS fetch,
  (SELECT extract(epoch FROM %(now)s - max(p.next_pull_at))::float8 FROM pull_cursor p JOIN shop s ON s.id = p.shop_id
    WHERE s.base_url IS NOT NULL AND p.next_pull_at < %(now)s) AS pull,
  (SELECT extract(epoch FROM %(now)s - real_time(min(i.due_at)))::float8 FROM (
      SELECT i.* FROM intent i WHERE i.state = 'approved' ORDER BY i.due_at LIMIT 1000) i
    JOIN shop s ON s.id = i.shop_id AND s.platform IN ('taobao', 'tmall')
      AND num_nulls(s.base_url, s.app_key, s.app_secret, s.session_key) = 0
    WHERE real_time(i.due_at) < %(now)s AND NOT held_back(i.shop_id, i.kind, i.money, i.approved_by)
      AND NOT EXISTS (SELECT FROM instance WHERE reconcile_since IS NOT NULL)
      AND NOT (i.money AND EXISTS (SELECT FROM intent f WHERE f.shop_id = i.shop_id AND f.case_id = i.case_id
        AND f.kind = 'cancel_shipment' AND f.state IN ('approved', 'sending', 'unknown', 'with_person')))) AS intent,
  (SELECT extract(epoch FROM %(now)s - min(i.sent_at))::float8 FROM (
      SELECT shop_id, sent_at FROM intent WHERE state IN ('sending', 'unknown') ORDER BY due_at LIMIT 1000) i
    JOIN shop s ON s.id = i.shop_id AND (s.base_url IS NULL AND s.app_key IS NOT NULL) IS NOT TRUE) AS unknown,
  (SELECT extract(epoch FROM %(now)s - real_time(min(created_at)))::float8 FROM job WHERE state = 'waiting'
    AND NOT EXISTS (SELECT FROM job WHERE state = 'running')) AS job

-- Numbers, none counted beyond 10,000.
-- name: counts
WITH served AS (SELECT id AS shop_id FROM shop WHERE (base_url IS NULL AND app_key IS NOT NULL) IS NOT TRUE)
SELECT
  (SELECT count(*) FROM (SELECT FROM arrival_todo LIMIT 10000) t) AS arrivals,
  (SELECT count(*) FROM (SELECT FROM intent WHERE state = 'approved' LIMIT 10000) t) AS approved,
  (SELECT count(*) FROM (SELECT FROM intent WHERE state IN ('sending', 'unknown') AND sent_at IS NOT NULL LIMIT 10000) t) AS unknown,
  (SELECT count(*) FROM (SELECT FROM queue_item LIMIT 10000) t) AS queued,
  (SELECT count(*) FROM (SELECT FROM queue_item JOIN served USING (shop_id) WHERE due_at < moment() LIMIT 10000) t) AS overdue,
  (SELECT count(*) FROM (SELECT FROM queue_item JOIN served USING (shop_id)
    WHERE due_at BETWEEN moment() AND moment() + interval '30 minutes' LIMIT 10000) t) AS at_risk,
  (SELECT count(*) FROM (SELECT FROM parked WHERE resolved_at IS NULL LIMIT 10000) t) AS parked,
  (SELECT count(*) FROM (SELECT FROM difference WHERE resolved_at IS NULL LIMIT 10000) t) AS differences,
  (SELECT count(*) FROM (SELECT FROM missed_deadline JOIN served USING (shop_id)
    WHERE noticed_at > moment() - interval '1 day' AND cause <> 'arrived_late' LIMIT 10000) t) AS missed,
  (SELECT count(*) FROM (SELECT FROM job WHERE state IN ('waiting', 'running') LIMIT 10000) t) AS jobs,
  (SELECT count(*) FROM switch WHERE stopped AND by_whom NOT LIKE 'breaker:%%') AS switches,
  (SELECT count(*) FROM switch WHERE stopped AND by_whom LIKE 'breaker:%%') AS breakers,
  (SELECT count(*) FROM (SELECT FROM shop s WHERE s.base_url IS NOT NULL AND s.created_at < %(now)s - interval '36 hours'
    AND NOT EXISTS (SELECT FROM reconciliation r WHERE r.shop_id = s.id AND r.at > moment() - interval '36 hours')
    LIMIT 10000) t) AS uncompared,
  (SELECT coalesce(sum(seq), 0)::bigint FROM ledger_head) AS ledger_rows

-- Stages that were seen lately. alive: within 30 s. replaced: a younger one of the stage lives on the same host.
-- name: workers
SELECT w.stage, w.seen_at > %(now)s - interval '30 seconds' AS alive,
  extract(epoch FROM %(now)s - w.seen_at)::float8 AS seen_s,
  extract(epoch FROM %(now)s - w.turn_since)::float8 AS turn_s,
  EXISTS (SELECT FROM worker y WHERE y.stage = w.stage AND y.started_at > w.started_at
    AND split_part(y.name, ':', 1) = split_part(w.name, ':', 1)) AS replaced
FROM worker w WHERE w.stage IS NOT NULL AND w.doing <> 'ended' AND w.seen_at > %(now)s - interval '1 hour' ORDER BY w.stage, w.name LIMIT 1000

-- name: opened
SELECT coalesce(s.code, ''), w.by_whom, greatest(0, extract(epoch FROM %(now)s - real_time(w.at)))::float8, w.why
FROM switch w LEFT JOIN shop s ON s.id = w.shop_id WHERE w.stopped AND w.by_whom LIKE 'breaker:%%' AND (s.base_url IS NULL AND s.app_key IS NOT NULL) IS NOT TRUE
ORDER BY w.at LIMIT 20

-- name: instance
SELECT extract(epoch FROM %(now)s - reconcile_since)::float8 FROM instance

-- The server itself, as far as our role may see it.
-- name: server
SELECT
  (SELECT greatest(0, extract(epoch FROM %(now)s - min(xact_start)))::float8 FROM pg_stat_activity
    WHERE datname = current_database() AND state <> 'idle' AND pid <> pg_backend_pid()) AS transaction_s,
  (SELECT count(*) FROM pg_replication_slots WHERE wal_status IN ('unreserved', 'lost')) AS slots_lost,
  (SELECT max(pg_current_wal_lsn() - restart_lsn)::bigint FROM pg_replication_slots WHERE NOT active) AS slot_bytes,
  (SELECT extract(epoch FROM %(now)s - last_archived_time)::float8 FROM pg_stat_archiver) AS archived_s
