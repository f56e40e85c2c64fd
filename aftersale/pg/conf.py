"""Our postgresql.conf."""

import os
from collections.abc import Iterator
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
max_connections = 100
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


def memory_mb(mine: Path = Path("/proc/self/cgroup"), groups: Path = Path("/sys/fs/cgroup")) -> int:
    """Memory of this machine, or what the control groups around this process leave of it."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    told = mine.read_text("utf-8").splitlines() if mine.exists() else []
    return min([machine, *(limit for line in told for limit in _limits(line, groups))]) // MB


def _limits(line: str, groups: Path) -> Iterator[int]:
    """Bytes that a group and those around it allow; `line` of /proc/self/cgroup names it, in version 2 or 1.

    In a container the name may be the host's: then the root that is mounted there is the container's own.
    """
    _number, controllers, name = line.split(":", 2)
    if controllers and "memory" not in controllers.split(","):
        return
    root = groups / "memory" if controllers else groups
    own = root / name.strip("/")
    for group in (own, *own.parents):
        limit = group / ("memory.limit_in_bytes" if controllers else "memory.max")
        if (
            group.is_relative_to(root)
            and limit.exists()
            and (told := limit.read_text("utf-8").strip()).isdigit()
        ):
            yield int(told)
