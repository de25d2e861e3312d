"""What is written is what is read: files that others wrote, and charges of every make."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from charges.errors import Unreadable
from charges.model import Charge, Coverage, ServiceLine, walk
from charges.x12 import check
from charges.x12.professional import cannot_be_written
from rules.full_charge import full_charge
from tests.x12.files import FAITHFUL, FOREIGN, carried, claim, foreign_files, partner, professional_files, read, written

# Files that others wrote


@pytest.mark.skipif(not FOREIGN.exists(), reason="the files of other projects are not at hand")
@pytest.mark.parametrize("path", list(professional_files()), ids=lambda path: path.name)
def test_a_file_of_others_read_and_written_reads_the_same(path: Path) -> None:
    claims = read(path.read_bytes())
    assert claims
    told = [each for one in claims for each in one.charge.unread]
    # The guide allows it in every word but one: a line may only point at a diagnosis that is there.
    assert all(each.startswith("SV107 points at") for each in told)
    again = written(*claims, to=FAITHFUL)
    assert [each.charge for each in read(again)] == [each.charge.model_copy(update={"unread": ()}) for each in claims]
    assert check.check(again).valid


@pytest.mark.skipif(not FOREIGN.exists(), reason="the files of other projects are not at hand")
def test_every_file_of_others_is_read_or_refused_with_a_sentence() -> None:
    for row in foreign_files():
        content = (FOREIGN / row["path"]).read_bytes()
        try:
            claims = read(content)
        except Unreadable as refused:
            assert str(refused).endswith(".")  # noqa: PT017 - either is right
            continue
        if row["kind"] == "837I":
            continue  # which have tests of their own
        assert row["kind"] == "837P"
        writable = [each for each in claims if not cannot_be_written(each)]
        if not writable:
            continue
        assert [each.charge for each in read(written(*writable, to=FAITHFUL))] == [each.charge for each in writable]


# Charges of every make

WORDS = st.from_regex(r"[A-Za-z0-9'&][A-Za-z0-9'&,./@-]{0,8}( [A-Za-z0-9#%_]{1,9})?", fullmatch=True)
CODES = st.from_regex(r"[A-Z0-9]{1,5}", fullmatch=True)
MONEY = st.decimals(Decimal(0), Decimal("99999.99"), places=2)
DAYS = st.dates(date(1900, 1, 1), date(2099, 12, 31))
WHOLE = [full_charge(dependent=dependent, payers=payers) for dependent in (True, False) for payers in (1, 2, 4)]

# Numbers that X12 writes with letters and digits alone, or that decide where something stands.
_FREE_TEXT = ("last_name", "first_name", "middle_name", "line1", "line2", "city", "note", "description", "text")
_NAMES = ("organization_name", "name", "group_name", "drop_off_name", "contact_name", "stretcher_purpose", "question")
_FREE = frozenset(_FREE_TEXT + _NAMES + ("version", "control_number", "prescription_number", "payer_claim_number"))
_MUST = frozenset(("patient", "billing_provider", "coverages", "lines", "diagnoses", "code", "service_date", "charge"))


@st.composite
def charges(draw: st.DrawFn) -> Charge:
    """A charge that says some of what a charge can say, in any words, amounts and days."""
    whole = draw(st.sampled_from(WHOLE))
    some = _some(draw, whole)
    lines = tuple(_some(draw, line) for line in draw(st.permutations(whole.lines))[: draw(st.integers(1, 3))])
    others = tuple(
        _some(draw, each, {"payer", "member_id", "relationship", "subscriber"}) for each in whole.coverages[1:]
    )
    some = some.model_copy(update={"lines": lines, "coverages": (whole.coverages[0], *others)})
    return Charge.model_validate(_varied(draw, some.model_dump()))


def _some(draw: st.DrawFn, record: Any, kept: frozenset[str] | set[str] = frozenset()) -> Any:
    """A record without some of what it may leave out."""
    names = sorted(record.model_fields_set - _MUST - kept)
    gone = draw(st.sets(st.sampled_from(names))) if names else set()
    fields = {name: getattr(record, name) for name in record.model_fields_set - gone}
    return type(record)(**fields)


def _varied(draw: st.DrawFn, value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _varied(draw, each, key) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return tuple(_varied(draw, each) for each in value)
    if not value or isinstance(value, bool) or not draw(st.integers(0, 3)):
        return value
    if isinstance(value, Decimal):
        return draw(MONEY.filter(bool))
    if isinstance(value, date):
        return draw(DAYS)
    return draw(WORDS) if name in _FREE else value


@settings(max_examples=70, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(charges())
def test_a_charge_written_and_read_is_the_same(charge: Charge) -> None:
    (found,) = read(written(claim(charge), to=FAITHFUL))
    assert dict(walk(found.charge)) == dict(walk(carried(charge)))
    assert found.charge == carried(charge)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(charges(), min_size=2, max_size=4), st.integers(1, 3), st.sampled_from(["none", "lf", "crlf"]))
def test_many_charges_in_a_file_keep_their_order_and_their_own(
    given_charges: list[Charge], at_most: int, line_end: str
) -> None:
    to = partner(**FAITHFUL.model_dump() | {"claims_per_transaction": at_most, "line_end": line_end})
    found = read(written(*given_charges, to=to))
    assert [each.charge for each in found] == [carried(each) for each in given_charges]
    assert [each.number for each in found] == [f"CR{number:09d}01" for number in range(1, len(given_charges) + 1)]


@pytest.mark.parametrize("frequency", ["1", "7", "8"])
def test_number_and_frequency_come_back(frequency: str) -> None:
    (found,) = read(written(claim(full_charge(), "A.B-7", frequency)))
    assert (found.number, found.frequency) == ("A.B-7", frequency)


def test_every_field_that_a_file_carries_is_in_the_full_charge() -> None:
    """So that a new field of the model is either written and read, or named here with the reason."""
    not_carried = {
        # where a charge came from and what is done with it
        "practice", "source", "key", "version", "origins", "custom", "unread", "voided", "self_pay", "stated_total",
        # said by the practice's system for itself
        "lines[].source_id", "lines[].patient_share", "coverages[].benefits_assigned", "coverages[].release_of_information",
        "coverages[].patient_signature_source", "coverages[].responsibility",
        # of a facility's bill, which is an 837I
        "institutional", "lines[].revenue_code", "lines[].noncovered", "lines[].service_tax", "lines[].facility_tax",
        "lines[].operating_provider", "lines[].other_operating_provider",
    }  # fmt: skip
    full = full_charge()
    said: set[str] = set(full.model_fields_set)
    said |= {f"lines[].{name}" for line in full.lines for name in line.model_fields_set}
    said |= {f"coverages[].{name}" for each in full_charge(payers=2).coverages for name in each.model_fields_set}
    known = set(Charge.model_fields)
    known |= {f"lines[].{name}" for name in ServiceLine.model_fields}
    known |= {f"coverages[].{name}" for name in Coverage.model_fields}
    assert known - said == not_carried
