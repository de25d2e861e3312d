"""The practice over some days, on each kind of database and on SQLite alone."""

from pathlib import Path

import pytest

from charges.db import Database
from tests.figures.days import Days
from tests.practice import Workplace


@pytest.fixture
def days(database: Database, tmp_path: Path) -> Days:
    return Days.of(database, tmp_path)


@pytest.fixture
def small_days(small_workplace: Workplace) -> Days:
    return Days.of(small_workplace.database, small_workplace.folder)
