"""Remedies: what each kind of change does, and that one that does not fit changes nothing."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charges import remedy
from charges.errors import Refused
from charges.model import Change, Charge, Diagnosis, Drug
from rules.examples import charge, line


def made(given: Charge, *changes: tuple[str, str, Any]) -> Charge:
    return remedy.apply(given, [Change(at=at, op=op, value=value) for at, op, value in changes])  # type: ignore[arg-type]


def test_each_kind_of_change_does_what_its_name_says() -> None:
    given = charge(line("99213"), line("20610", "RT", "RT"), line("J3301", drug=Drug(ndc="0069-0809-01")))
    mended = made(
        given,
        ("lines[0].modifiers", "add", "25"),
        ("lines[1].modifiers[1]", "remove", None),
        ("lines[2].drug.ndc", "set", "00069080901"),
        ("lines[2].charge", "set", "12.50"),
        ("diagnoses[0]", "swap", "diagnoses[1]"),
    )
    assert [each.modifiers for each in mended.lines] == [("25",), ("RT",), ()]
    assert mended.lines[2].drug == Drug(ndc="00069080901")
    assert mended.lines[2].charge == Decimal("12.50")
    assert [each.code for each in mended.diagnoses] == ["E11.9", "I10"]


def test_what_is_there_is_not_added_again_and_a_line_can_be_dropped() -> None:
    given = charge(line("99213", "25"), line("20610"))
    assert made(given, ("lines[0].modifiers", "add", "25")) == given
    assert made(given, ("lines[1]", "remove", None)) == charge(line("99213", "25"))
    assert made(given, ("lines[0].service_date", "set", None)).lines[0].service_date is None


def test_lines_follow_a_diagnosis_that_gets_another_code_or_goes() -> None:
    given = charge(line("20610", diagnoses=("W19A", "I10")), diagnoses=(Diagnosis(code="W19.A"), Diagnosis(code="I10")))
    recoded = made(given, ("diagnoses[0].code", "set", "W19.XXXA"))
    assert recoded.lines[0].diagnoses == ("W19.XXXA", "I10")
    assert made(given, ("diagnoses[0]", "remove", None)).lines[0].diagnoses == ("I10",)
    twice = given.model_copy(update={"diagnoses": (*given.diagnoses, Diagnosis(code="I10"))})
    assert made(twice, ("diagnoses[2]", "remove", None)).lines == given.lines, "it is still listed"


@pytest.mark.parametrize(
    ("at", "op", "value"),
    [
        ("lines[9].code", "set", "99213"),
        ("lines[0].no_such_field", "set", "x"),
        ("lines[0].charge", "set", "much"),
        ("lines[0].code", "add", "x"),
        ("lines[0].code", "remove", None),
        ("lines[3]", "remove", None),
        ("diagnoses[0]", "swap", "diagnoses[7]"),
        ("lines[0]..code", "set", "x"),
        ("", "set", "x"),
        ("key", "set", "7002"),
        ("origins", "set", {}),
    ],
)
def test_a_change_that_does_not_fit_is_refused(at: str, op: str, value: Any) -> None:
    with pytest.raises(Refused) as refused:
        made(charge(), (at, op, value))
    assert "Larkspur" not in str(refused.value)


@given(st.permutations(["25", "59", "RT", "GT"]), st.integers(0, 3), st.integers(0, 3))
def test_swapping_twice_changes_nothing(modifiers: Sequence[str], one: int, other: int) -> None:
    swap = (f"lines[0].modifiers[{one}]", "swap", f"lines[0].modifiers[{other}]")
    assert made(charge(line("99213", *modifiers)), swap, swap) == charge(line("99213", *modifiers))
