"""Many rows at once, as the database takes them fastest: one prepared INSERT on SQLite, COPY on PostgreSQL.

SQLAlchemy's own way to insert a list of rows looks at every value of every row again; here each column is looked at once.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Dialect, Engine, LargeBinary, Table, event, func, select, text
from sqlalchemy.orm import Session

from charges.tables.base import Base

_COPY = "COPY "


def insert_all(session: Session, table: type[Base], rows: Sequence[Mapping[str, object]]) -> None:
    """Insert many rows at once that nobody needs as objects; what they refer to must be flushed before.

    All have the same columns. Others have their default, which must be a value and no function.
    """
    if rows:
        connection = session.connection()
        made = _maker(table.__table__, tuple(rows[0]), connection.dialect)
        connection.exec_driver_sql(made.statement, made.values(rows))


def next_ids(session: Session, table: type[Base], count: int) -> Sequence[int]:
    """Numbers for rows that are then inserted, so that others can refer to them and nothing has to be read back.

    On SQLite they are this transaction's, for it alone writes; on PostgreSQL nobody else gets them ever.
    """
    if not count:
        return ()
    column = table.__table__.c.id
    if session.get_bind().dialect.name == "sqlite":
        last = session.scalar(select(func.max(column))) or 0
        return range(last + 1, last + 1 + count)
    numbers = text("SELECT nextval(pg_get_serial_sequence(:name, 'id')) FROM generate_series(1, :count)")
    return session.scalars(numbers, {"name": table.__tablename__, "count": count}).all()


class _Memory(dict[Any, Any]):
    """Values as the driver takes them, each made once: most rows of a page share their moments and words."""

    def __init__(self, make: Callable[[Any], Any]) -> None:
        self.make = make

    def __missing__(self, value: object) -> object:
        made = self[value] = self.make(value)
        return made


class _Maker(NamedTuple):
    """How rows of some columns are written; ``defaults`` are the values of the columns that are not given."""

    statement: str
    given: Sequence[tuple[str, Callable[[Any], Any] | None, bool]]
    defaults: Sequence[object]

    def values(self, rows: Sequence[Mapping[str, object]]) -> list[tuple[object, ...]]:
        """The rows as the driver takes them."""
        columns: list[Sequence[object]] = []
        for name, process, is_memorable in self.given:
            column: Any = map(itemgetter(name), rows)
            if process is not None:
                column = map(_Memory(process).__getitem__ if is_memorable else process, column)
            columns.append(list(column))
        columns += [[value] * len(rows) for value in self.defaults]
        return list(zip(*columns, strict=True))


@lru_cache(maxsize=128)
def _maker(table: Table, names: tuple[str, ...], dialect: Dialect) -> _Maker:
    def processor(name: str) -> Callable[[Any], Any] | None:
        return table.c[name].type.dialect_impl(dialect).bind_processor(dialect)

    given = [(name, processor(name), not isinstance(table.c[name].type, LargeBinary)) for name in names]
    defaults: dict[str, object] = {}
    for column in table.c:
        if column.name not in names and column.default is not None:
            assert column.default.is_scalar, f"{column} must be given"
            process = processor(column.name)
            value = column.default.arg  # type: ignore[attr-defined]
            defaults[column.name] = value if process is None else process(value)
    quote = dialect.identifier_preparer.quote
    columns = ", ".join(map(quote, (*names, *defaults)))
    if dialect.name == "sqlite":
        places = ", ".join("?" * (len(names) + len(defaults)))
        statement = f"INSERT INTO {quote(table.name)} ({columns}) VALUES ({places})"  # noqa: S608 - our own names
    else:
        statement = f"{_COPY}{quote(table.name)} ({columns}) FROM STDIN"
    return _Maker(statement, given, list(defaults.values()))


@event.listens_for(Engine, "do_executemany")
def _copy(cursor: Any, statement: str, rows: Sequence[Sequence[Any]], _: object) -> bool:  # noqa: ANN401 - the driver's
    """Have psycopg copy where SQLAlchemy would execute once for each row; errors and events stay SQLAlchemy's."""
    if not statement.startswith(_COPY):
        return False
    with cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
    return True


@event.listens_for(Engine, "do_execute")
def _copy_one(cursor: Any, statement: str, row: Sequence[Any], context: object) -> bool:  # noqa: ANN401
    return bool(_copy(cursor, statement, [row], context))
