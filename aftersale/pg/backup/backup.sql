-- What backups ask of the server, as its administrator.

-- name: identity
SELECT s.system_identifier::text, c.timeline_id FROM pg_control_system() s, pg_control_checkpoint() c

-- name: moment
SELECT clock_timestamp()

-- An empty transaction with a number of its own: its commit carries a time that a restore can aim at.
-- name: commit
SELECT pg_current_xact_id()

-- name: position
SELECT pg_current_wal_insert_lsn()::text

-- A slot that fell too far behind has lost its changes: only a new copy helps.
-- name: drop_lost
SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
WHERE slot_name = %(slot)s AND NOT active AND wal_status = 'lost'

-- name: make_slot
SELECT pg_create_physical_replication_slot(%(slot)s, true)
WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = %(slot)s)

-- name: received
SELECT EXISTS (SELECT FROM pg_replication_slots s JOIN pg_stat_replication r ON r.pid = s.active_pid
  WHERE s.slot_name = %(slot)s AND r.write_lsn >= %(lsn)s::pg_lsn)
