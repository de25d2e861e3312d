"""Stage 4: each clean charge in one claim of one file, numbered without gaps."""

import re

import pytest

from charges import claims
from charges.errors import Unavailable
from charges.model import Charge
from charges.tables import ChargeStatus, ClaimFileRow, ClaimRow, ControlNumberRow, FileStatus
from charges.x12 import check
from rules.engine import load
from rules.examples import PATIENT, charge, line
from rules.full_bill import full_bill
from tests.practice import Workplace

RULES = load()


def _patients(count: int) -> list[Charge]:
    return [
        charge(key=str(number), patient=PATIENT.model_copy(update={"record_number": str(number)}))
        for number in range(count)
    ]


def _file_states(workplace: Workplace) -> list[FileStatus]:
    with workplace.database.transaction() as session:
        return [row.status for row in session.query(ClaimFileRow).order_by(ClaimFileRow.id)]


def test_clean_charges_become_one_valid_file_in_the_drop_folder(workplace: Workplace) -> None:
    workplace.source.put(*_patients(3))
    workplace.run()
    (file,) = workplace.files()
    assert check.check(file.read_bytes()).valid
    assert file.read_bytes().count(b"CLM*CR") == 3
    assert set(workplace.states().values()) == {ChargeStatus.CLAIMED}
    assert _file_states(workplace) == [FileStatus.SENT]


def test_running_again_bills_nothing_twice(workplace: Workplace) -> None:
    workplace.source.put(*_patients(3))
    for _ in range(3):
        workplace.run()
    assert len(workplace.files()) == 1
    with workplace.database.transaction() as session:
        assert session.query(ClaimRow).count() == 3


def test_the_database_itself_refuses_a_second_live_claim(workplace: Workplace) -> None:
    workplace.source.put(*_patients(1))
    workplace.run()

    def bill_again() -> None:
        with workplace.database.transaction() as session:
            first = session.query(ClaimRow).one()
            second = _claim_like(first)
            second.seal(workplace.database.keyring, answer=None)
            session.add(second)

    with pytest.raises(Unavailable, match="refused a statement"):
        bill_again()


def _claim_like(first: ClaimRow) -> ClaimRow:
    return ClaimRow(
        charge_id=first.charge_id,
        claim_file_id=first.claim_file_id,
        number="CR99999999901",
        frequency="1",
        version=first.version,
        total=first.total,
        live=True,
        accepted=False,
    )


def test_control_numbers_follow_each_other_without_gaps(workplace: Workplace) -> None:
    for number in range(3):
        workplace.source.put(_patients(number + 1)[-1])
        workplace.run()
    numbers = [re.match(rb"ISA.{87}(\d{9})", file.read_bytes()) for file in workplace.files()]
    assert [int(found[1]) for found in numbers if found] == [1, 2, 3]


def test_after_the_last_control_number_comes_one(workplace: Workplace) -> None:
    with workplace.database.transaction() as session:
        scope = claims.control_scope(workplace.applied.practice)
        session.add(ControlNumberRow(scope=scope, next=claims.LAST_CONTROL_NUMBER))
    workplace.source.put(*_patients(1))
    workplace.run()
    with workplace.database.transaction() as session:
        assert session.query(ControlNumberRow).one().next == 1


def test_a_file_takes_no_more_claims_than_the_partner_wants(workplace: Workplace) -> None:
    partner = workplace.applied.practice.trading_partner.model_copy(update={"claims_per_file": 2})
    workplace.apply(trading_partner=partner)
    workplace.source.put(*_patients(5))
    workplace.run()
    assert sorted(file.read_bytes().count(b"CLM*CR") for file in workplace.files()) == [1, 2, 2]


def test_professional_and_institutional_claims_go_in_files_of_their_own(workplace: Workplace) -> None:
    workplace.apply(rules={each.id: "off" for each in RULES})
    bill = full_bill(payers=1, dependent=False)
    bill = bill.model_copy(update={"patient": bill.patient.model_copy(update={"record_number": "700001"})})
    facility = [bill.model_copy(update={"key": f"bill-{number}"}) for number in range(2)]
    first, second, third = _patients(3)
    workplace.source.put(first, facility[0], second, facility[1], third)
    workplace.run()
    files = [file.read_bytes() for file in workplace.files()]
    assert all(check.check(each).valid for each in files)
    assert sorted((each.count(b":A:1*") + each.count(b":A:2*"), each.count(b":B:1*")) for each in files) == [
        (0, 3),
        (2, 0),
    ]
    assert set(workplace.states().values()) == {ChargeStatus.CLAIMED}


def test_what_no_x12_can_carry_is_held_and_the_others_go(workplace: Workplace) -> None:
    workplace.apply(rules={"STR-001": "off", "STR-004": "off"})
    evil = [PATIENT.model_copy(update={"last_name": "", "first_name": "", "record_number": "9"})]
    workplace.source.put(charge(key="bad", patient=evil[0]), *_patients(2))
    workplace.run()
    states = workplace.states()
    assert (states["bad"], states["0"], states["1"]) == (
        ChargeStatus.HELD,
        ChargeStatus.CLAIMED,
        ChargeStatus.CLAIMED,
    )
    (file,) = workplace.files()
    assert check.check(file.read_bytes()).valid


def test_a_charge_that_moved_meanwhile_is_not_in_a_file(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    workplace.source.put(*_patients(2))
    workplace.run("pull", "judge")
    genuine = check.check

    def check_while_the_source_changes(content: bytes) -> check.Verdict:
        monkeypatch.undo()
        workplace.source.put(_patients(1)[0].model_copy(update={"lines": (line("99214"),)}))
        workplace.run("pull")
        return genuine(content)

    monkeypatch.setattr(check, "check", check_while_the_source_changes)
    workplace.run("generate", "deliver")
    assert workplace.states() == {"0": ChargeStatus.CAPTURED, "1": ChargeStatus.CLAIMED}
    (file,) = workplace.files()
    assert file.read_bytes().count(b"CLM*CR") == 1
    workplace.run("judge", "generate", "deliver")
    assert b"99214" in workplace.files()[1].read_bytes()
