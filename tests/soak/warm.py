"""What every worker needs, loaded once: workers are forked from the process that has imported this."""

from datetime import UTC, datetime
from pathlib import Path

from charges.clearinghouses import sftp
from charges.model import Claim
from charges.x12 import check, responses
from charges.x12.interchange import ControlNumbers, write
from rules.engine import load
from rules.examples import charge
from rules.reference.shipped import shipped
from tests.practice import practice_in
from tests.soak import mortal

__all__ = ["mortal", "responses", "sftp"]

load()
shipped()
_claim = Claim(number="CR1", charge=charge())
_partner = practice_in(Path()).trading_partner
check.check(write([_claim], _partner, ControlNumbers(1), datetime(2026, 1, 1, tzinfo=UTC)).content)
