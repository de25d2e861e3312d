"""Run the migrations on the connection given by the program, or on CHARGES_DATABASE_URL when run by `alembic`."""

from alembic import context
from sqlalchemy import Connection

from charges.db import create_database_engine
from charges.settings import read_settings
from charges.tables import Base, Word


def render_item(kind: str, item: object, _autogen_context: object) -> str | bool:
    """Write our column types as plain SQL types, so that old migrations do not lean on today's code."""
    if kind == "type" and type(item).__module__ == "charges.tables":
        if isinstance(item, Word):
            return f"sa.String(length={item.impl_instance.length})"
        return {"Cents": "sa.BigInteger()", "Moment": "sa.DateTime(timezone=True)"}[type(item).__name__]
    return False


def migrate(connection: Connection) -> None:
    """Migrate in one transaction; on PostgreSQL give up soon rather than stop the practice behind a lock."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_item=render_item,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL lock_timeout = '10s'")
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    with create_database_engine(read_settings()).begin() as opened:
        migrate(opened)
