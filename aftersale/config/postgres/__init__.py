"""Django's PostgreSQL backend, told by aftersale.pg where the database is."""
