"""Our postgresql.conf."""

import os
from pathlib import Path

MB = 1024 * 1024
BUFFERS_MIN_MB = 128
BUFFERS_MAX_MB = 16_384

# Statements and DETAIL lines stay out of the log: they could carry a buyer's data.
TEMPLATE = """\
# Written anew at every start. Your own settings: local.conf, beside this file.
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
max_connections = 60
password_encryption = 'scram-sha-256'

shared_buffers = {buffers_mb}MB
effective_cache_size = {cache_mb}MB
work_mem = 16MB
maintenance_work_mem = 128MB
jit = off

fsync = on
full_page_writes = on
synchronous_commit = on
wal_compression = off
max_wal_size = 4GB
min_wal_size = 256MB
checkpoint_timeout = 15min
max_slot_wal_keep_size = 8GB

autovacuum = on
autovacuum_naptime = 15s
autovacuum_vacuum_cost_delay = 1ms
autovacuum_vacuum_scale_factor = 0.05
autovacuum_analyze_scale_factor = 0.05
autovacuum_vacuum_insert_scale_factor = 0.05

timezone = 'UTC'
lc_messages = 'C'
logging_collector = on
log_directory = '../log'
log_filename = 'postgresql-%a.log'
log_rotation_age = 1d
log_truncate_on_rotation = on
log_line_prefix = '%m [%p] %q%u@%d %a '
log_lock_waits = on
log_error_verbosity = terse
log_min_error_statement = panic
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
include_if_exists = 'local.conf'
"""


def text(port: int, memory_mb: int) -> str:
    """The configuration for a server on `port` of a machine with `memory_mb` of memory."""
    buffers_mb = min(max(memory_mb // 4, BUFFERS_MIN_MB), BUFFERS_MAX_MB)
    return TEMPLATE.format(port=port, buffers_mb=buffers_mb, cache_mb=max(memory_mb // 2, buffers_mb))


def memory_mb(limit: Path = Path("/sys/fs/cgroup/memory.max")) -> int:
    """Memory of this machine, or of this container where that is less."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    allowed = limit.read_text().strip() if limit.exists() else "max"
    return (min(machine, int(allowed)) if allowed.isdigit() else machine) // MB
