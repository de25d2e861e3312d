"""Shadow claims held against those that went out the present way: what is the same, what differs, what only one has."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from charges.errors import Refused
from charges.model import Charge
from charges.rollout.comparing import Comparison, Difference, Match, compare
from charges.tables import ClaimFileRow, Mode
from rules.examples import COVERAGE, PATIENT, charge, line
from tests.conftest import Charges
from tests.practice import Workplace

ALICE, BEATRIX, CELESTE = "PMH0000001", "PMH0000002", "PMH0000003"


def _charge(key: str, member: str) -> Charge:
    return charge(
        line(),
        line("36415", charge=Decimal(12)),
        key=key,
        patient=PATIENT.model_copy(update={"record_number": key}),
        coverages=(COVERAGE.model_copy(update={"member_id": member}),),
    )


def _shadowed(workplace: Workplace) -> Workplace:
    workplace.roll_out_to(Mode.SHADOW)
    workplace.source.put(_charge("1", ALICE), _charge("2", BEATRIX))
    workplace.run()
    return workplace


@pytest.fixture
def shadow(small_workplace: Workplace) -> Workplace:
    """A practice in shadow with a claim for Alice and one for Beatrix, of two lines each."""
    return _shadowed(small_workplace)


def _theirs(workplace: Workplace, *changes: tuple[str, str]) -> bytes:
    """The shadow file as another system would have written it: under its own numbers, with changes."""
    with workplace.database.transaction() as session:
        (file,) = session.query(ClaimFileRow).all()
        content = file.unseal(workplace.database.keyring, "content").decode()
    for old, new in (("CR00000000101", "A17"), ("CR00000000201", "A18"), *changes):
        assert old in content
        content = content.replace(old, new)
    return content.encode()


def _compared(workplace: Workplace, *changes: tuple[str, str]) -> Comparison:
    return compare(workplace.database, workplace.applied.id, [_theirs(workplace, *changes)])


def test_claims_that_say_the_same_agree_under_whatever_number(shadow: Workplace) -> None:
    found = _compared(shadow)
    assert found.agrees
    assert [(each.charge, each.ours, each.theirs) for each in found.claims] == [
        (1, "CR00000000101", "A17"),
        (2, "CR00000000201", "A18"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "differs"),
    [
        ("HC:36415*12*UN*1", "HC:36416*12*UN*1", Difference("line 2 code", "36415", "36416")),
        ("HC:36415*12*UN*1", "HC:36415:59*12*UN*1", Difference("line 2 modifiers", "", "59")),
        ("HC:36415*12*UN*1", "HC:36415*12*UN*2", Difference("line 2 units", "1", "2")),
        ("HC:36415*12*UN*1", "HC:36415*13*UN*1", Difference("line 2 charge", "12.00", "13.00")),
        ("*PI*PRM01", "*PI*PRM02", Difference("payer", "PRM01", "PRM02")),
        ("NM1*82*1*", "NM1*DN*1*", Difference("rendering NPI", "1245319599", "1993999998")),
    ],
    ids=["code", "modifiers", "units", "charge", "payer", "rendering"],
)
def test_what_differs_is_named(shadow: Workplace, old: str, new: str, differs: Difference) -> None:
    found = _compared(shadow, (old, new))
    assert {each.match for each in found.claims} == {Match.DIFFERS}
    assert differs in found.claims[0].differences


def test_a_claim_of_one_alone_is_named(shadow: Workplace) -> None:
    found = _compared(shadow, (BEATRIX, CELESTE))
    assert {(each.match, each.ours, each.theirs) for each in found.claims} == {
        (Match.SAME, "CR00000000101", "A17"),
        (Match.ONLY_OURS, "CR00000000201", ""),
        (Match.ONLY_THEIRS, "", "A18"),
    }


def test_a_line_of_one_alone_is_named(shadow: Workplace) -> None:
    content = _theirs(shadow).decode()
    first, second = content.index("LX*2"), content.index("SE*")
    end = content.find("HL*", first)
    shorter = (content[:first] + content[end:]).encode()
    assert end < second
    found = compare(shadow.database, shadow.applied.id, [shorter])
    assert Difference("line 2", "36415 12.00", "none") in found.claims[0].differences


def test_claims_of_other_days_are_left_out(shadow: Workplace) -> None:
    found = _compared(shadow, ("*20261116", "*20261117"))
    assert found.counted == {Match.SAME: 0, Match.DIFFERS: 0, Match.ONLY_OURS: 0, Match.ONLY_THEIRS: 2}


def test_what_is_no_claim_file_is_refused(shadow: Workplace) -> None:
    with pytest.raises(Refused, match="cannot be compared with"):
        compare(shadow.database, shadow.applied.id, [b"a letter"])
    with pytest.raises(Refused, match="nothing to compare"):
        compare(shadow.database, shadow.applied.id, [])


def test_the_command_tells_both_sides(charges: Charges, installed_workplace: Workplace, tmp_path: Path) -> None:
    workplace = _shadowed(installed_workplace)
    sent = tmp_path / "sent"
    sent.mkdir()
    (sent / "monday.837").write_bytes(_theirs(workplace))
    code, said, _ = charges("rollout", "compare", str(sent))
    assert code == 0, said
    assert "2 same, 0 differs, 0 only ours, 0 only theirs." in said
    (sent / "monday.837").write_bytes(_theirs(workplace, ("HC:36415*12*UN*1", "HC:36415*12*UN*2")))
    code, said, _ = charges("rollout", "compare", str(sent / "monday.837"))
    assert code == 1
    assert "2026-11-16, claim CR00000000101 of charge 1 and their claim A17: differs." in said
    assert "  line 2 units: 1 here, 2 there" in said
    (found, _) = json.loads(charges("rollout", "compare", str(sent), "--json")[1])["claims"]
    assert found["differences"] == [{"element": "line 2 units", "ours": "1", "theirs": "2"}]
    code, _, said = charges("rollout", "compare", "nowhere.837")
    assert (code, "cannot be read" in said) == (2, True)
