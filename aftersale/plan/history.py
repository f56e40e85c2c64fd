"""The record's own history as compact Parquet: one row a decision, with the facts as they were known then."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import duckdb
from psycopg import Connection
from psycopg.sql import SQL, Composable, Identifier
from psycopg.sql import Literal as Quoted

from aftersale.core.expression import Kind
from aftersale.core.facts import Catalogue
from aftersale.core.language.dialects import sql_type
from aftersale.core.language.folding import fact_test
from aftersale.core.language.saying import saying
from aftersale.core.refusal import Refusal, refusal_of
from aftersale.core.rulebook import Book
from aftersale.pg.sql import queries
from aftersale.plan.source import AT, CASE_ID, column

Which = Literal["all", "first", "last"]
MEMORY = "400MB"
EVER = datetime(1, 1, 2, tzinfo=UTC)
FIXED = {CASE_ID: "VARCHAR", AT: "TIMESTAMPTZ", "rule": "VARCHAR", "action": "VARCHAR", "queue": "VARCHAR"}
_SQL = queries("aftersale.plan", "history.sql")
_WHICH = {"all": _SQL["all"], "first": _SQL["first"], "last": _SQL["last"]}


@dataclass(frozen=True, slots=True)
class Exported:
    """`settings`: the shop's own, as they are now."""

    rows: int
    settings: dict[str, Any]


def export(
    conn: Connection[Any],
    shop: str,
    book: Book,
    path: Path,
    *,
    which: Which = "all",
    since: datetime | None = None,
) -> Exported | Refusal:
    """Decisions of any version of the book: all (since a moment), or each case's first or last. Texts are written as their hash,
    so that no waybill leaves the record. `conn`: not in autocommit. Raises OSError where `path` cannot be written."""
    with conn.transaction():
        found = conn.execute(_SQL["shop"], (shop,)).fetchone()
        if found is None:
            return Refusal("no_shop", f"没有代码为 {shop} 的店铺")
        shop_id, settings = found
        versions = conn.execute(_SQL["versions"], (book.name, shop_id)).fetchall()
        if not versions:
            told = saying("店铺 %(shop)s 还没有用规则书 %(book)s 判定过", shop=shop, book=book.name)
            return refusal_of("no_history", told)
        with TemporaryDirectory(dir=path.parent) as folder:
            plain = Path(folder) / "history.csv"
            with plain.open("wb") as file:
                for version, reads in versions:
                    _copy(conn, file, shop_id, version, reads, book.catalogue, (which, since))
            return Exported(_parquet(plain, path, book), settings)


def _stored(catalogue: Catalogue) -> dict[str, Kind]:
    return {column(fact): fact.type.kind for fact in catalogue.facts.values() if fact.stored}


def _copy(
    conn: Connection[Any],
    file: Any,
    shop_id: int,
    version: str,
    reads: Sequence[str],
    catalogue: Catalogue,
    wanted: tuple[Which, datetime | None],
) -> None:
    shape = Identifier(f"history_{version}")
    kinds = [catalogue.facts[name].type.kind if name in catalogue.facts else "text" for name in reads]
    columns = SQL(", ").join(
        SQL("{} {}").format(Identifier(name), SQL(sql_type(kind, "postgres")))
        for name, kind in zip(reads, kinds, strict=True)
    )
    conn.execute(SQL(_SQL["shape"]).format(shape=shape, columns=columns))
    read = set(reads)
    facts = [
        _fact(name, fact.type.kind, name in read) for name, fact in catalogue.facts.items() if fact.stored
    ]
    statement = SQL(_SQL["decisions"]).format(
        facts=SQL(", ").join(facts), shape=shape, shop=Quoted(shop_id), version=Quoted(version),
        which=SQL(_WHICH[wanted[0]]), since=Quoted(wanted[1] or EVER),
    )  # fmt: skip
    with conn.cursor() as cursor, cursor.copy(statement) as copying:
        for part in copying:
            file.write(part)


def _fact(name: str, kind: Kind, read: bool) -> Composable:
    if not read:
        return SQL("NULL")
    value = SQL("(f.read).{}").format(Identifier(name))
    return SQL("left(md5({}), 12)").format(value) if kind == "text" else value


CLUSTERED_BY = 2


def clustering(book: Book) -> list[str]:
    """The enums that most rules test. Rows that are alike in them meet the same rules, so that whole batches of
    rows skip the others."""
    enums = {name for name, fact in book.catalogue.facts.items() if fact.stored and fact.type.kind == "enum"}
    tests = [{test[0] for test in map(fact_test, rule.conjuncts) if test} for rule in book.rules]
    return [
        name
        for name, _ in Counter(n for names in tests for n in names if n in enums).most_common(CLUSTERED_BY)
    ]


def _parquet(plain: Path, path: Path, book: Book) -> int:
    """Like rows together, then in the order of decision; written beside its place and moved there when whole."""
    order = ", ".join([*clustering(book), AT, CASE_ID])
    names = {"bool": "BOOLEAN", "int": "BIGINT", "fen": "BIGINT", "timestamptz": "TIMESTAMPTZ"}
    types = FIXED | {name: names.get(kind, "VARCHAR") for name, kind in _stored(book.catalogue).items()}
    listed = ", ".join(f"'{name}': '{kind}'" for name, kind in types.items())
    part = path.with_name(f"{path.name}.part")
    with duckdb.connect() as duck:
        duck.execute("SET memory_limit = ?", [MEMORY])
        duck.execute("SET temp_directory = ?", [str(plain.parent)])
        sql = (
            f"COPY (SELECT * FROM read_csv($plain, header = false, delim = ',', quote = '\"', escape = '\"',"
            f" nullstr = '', auto_detect = false, columns = {{{listed}}}) ORDER BY {order})"
            f" TO '{str(part).replace(chr(39), chr(39) * 2)}' (FORMAT parquet, COMPRESSION zstd)"
        )
        rows = duck.execute(sql, {"plain": str(plain)}).fetchall()
    os.replace(part, path)
    return int(rows[0][0])
