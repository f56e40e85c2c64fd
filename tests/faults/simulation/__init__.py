"""The real domain code on a real PostgreSQL, against the sandbox's own market, with every fault drawn from one seed."""
