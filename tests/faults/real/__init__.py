"""Real processes on a real PostgreSQL against a sandbox over TCP, all through a fault proxy, judged by both ledgers."""
