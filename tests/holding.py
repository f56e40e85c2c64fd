"""Which tables hold something."""

import psycopg


def tables_with(owner: str, text: str) -> set[str]:
    """The tables of which a row holds this text, as text or in a body."""
    row_has = "SELECT count(*) FROM {} t WHERE t::text LIKE %s OR t::text LIKE %s"
    likes = (f"%{text}%", f"%{text.encode().hex()}%")
    with psycopg.connect(owner) as conn:
        names = conn.execute("SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'")
        return {
            name
            for (name,) in names.fetchall()
            if conn.execute(row_has.format(name), likes).fetchone() != (0,)
        }
