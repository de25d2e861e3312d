"""The services of this machine: where they are, and whether their absence is a failure."""

import os
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import create_engine, make_url

POSTGRES = os.environ.get("CHARGES_TEST_POSTGRES", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")
RABBITMQ = os.environ.get("CHARGES_TEST_RABBITMQ", "amqp://guest:guest@127.0.0.1:5672//")
REDIS = os.environ.get("CHARGES_TEST_REDIS", "redis://127.0.0.1:6379/15")

_PORTS = {"PostgreSQL": 5432, "RabbitMQ": 5672, "Redis": 6379}


def demand(service: str) -> None:
    """Skip the test, and say so, when a service does not answer; fail where CI demands it."""
    try:
        socket.create_connection(("127.0.0.1", _PORTS[service]), timeout=2).close()
    except OSError:
        sentence = f"{service} does not answer on 127.0.0.1:{_PORTS[service]}"
        if os.environ.get("CHARGES_REQUIRE_SERVICES") == "1":
            pytest.fail(sentence)
        pytest.skip(sentence)


@contextmanager
def postgres_database() -> Iterator[str]:
    """An empty database of its own for one test."""
    demand("PostgreSQL")
    name = f"charges_test_{uuid.uuid4().hex[:12]}"
    server = create_engine(make_url(POSTGRES), isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.exec_driver_sql(f'CREATE DATABASE "{name}"')
    try:
        yield make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
    finally:
        with server.connect() as connection:
            connection.exec_driver_sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        server.dispose()
