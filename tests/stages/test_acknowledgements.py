"""Stage 6: what the vendor and the payer answer, carried out once, in whatever order it comes."""

from collections.abc import Sequence
from decimal import Decimal

import pytest

from charges import delivery, parts, review
from charges.model import Charge
from charges.replies import posting
from charges.review import Case
from charges.tables import ChargeStatus, ClaimFileRow, ClaimRow, FileStatus, PaymentRow, RemittanceRow, ResponseRow
from rules.examples import PATIENT, charge
from tests.practice import Workplace
from tests.replies import (
    a277ca,
    a835,
    a999,
    about_claims,
    accepted,
    claim,
    decided,
    denied,
    group,
    interchange,
    no,
    paid,
    payment,
    provider,
    receiver,
    refused,
    ta1,
    taken_back,
    yes,
)

NPI = "1993999998"


def _patients(count: int) -> list[Charge]:
    return [
        charge(key=str(number), patient=PATIENT.model_copy(update={"record_number": str(number)}))
        for number in range(count)
    ]


@pytest.fixture
def sent(small_workplace: Workplace) -> Workplace:
    """Two charges claimed in a file, number 1, that lies at the vendor's."""
    small_workplace.source.put(*_patients(2))
    small_workplace.run()
    return small_workplace


FIRST, SECOND = "CR00000000101", "CR00000000201"
"""The claims of the two charges."""


def _reply(workplace: Workplace, *contents: bytes) -> None:
    inbound = workplace.folder / "inbound"
    inbound.mkdir(exist_ok=True)
    for content in contents:
        (inbound / f"{len(list(inbound.iterdir())):03d}.x12").write_bytes(content)
        workplace.run("queue")


def _file_states(workplace: Workplace) -> list[FileStatus]:
    with workplace.database.transaction() as session:
        return [row.status for row in session.query(ClaimFileRow).order_by(ClaimFileRow.id)]


def _outcomes(workplace: Workplace) -> list[tuple[str, str]]:
    with workplace.database.transaction() as session:
        return [(row.state, row.outcome) for row in session.query(ResponseRow).order_by(ResponseRow.id)]


def _states(workplace: Workplace) -> Sequence[ChargeStatus]:
    return tuple(workplace.states().values())


def _case(workplace: Workplace, number: int = 1) -> Case:
    return review.case(workplace.database, number)


def _messages(workplace: Workplace, number: int = 1) -> list[str]:
    return [item.finding.message for item in _case(workplace, number).items]


def _what(workplace: Workplace, number: int = 1) -> list[str]:
    return [event.what for event in _case(workplace, number).events]


CLAIMED, ACCEPTED, HELD = ChargeStatus.CLAIMED, ChargeStatus.ACCEPTED, ChargeStatus.HELD


def test_a_ta1_and_a_999_accept_the_file_and_leave_the_charges(sent: Workplace) -> None:
    _reply(sent, ta1(1))
    assert _file_states(sent) == [FileStatus.SENT]
    _reply(sent, accepted(1))
    assert _file_states(sent) == [FileStatus.ACCEPTED]
    assert _states(sent) == (CLAIMED, CLAIMED)


def test_a_999_that_refuses_sends_the_charges_back(workplace: Workplace) -> None:
    workplace.source.put(*_patients(2))
    workplace.run()
    _reply(workplace, refused(1, "IK3*SV1*40*2400*8", f"CTX*CLM01:{FIRST}", "IK4*4*782*1"))
    assert _file_states(workplace) == [FileStatus.REJECTED]
    assert _states(workplace) == (HELD, HELD)
    assert _messages(workplace) == [
        (
            f"The vendor's 999 refused the file with claim {FIRST}: SV104 (segment 40 of transaction set 0001, loop 2400): "
            "the required element is missing."
        )
    ]
    assert _messages(workplace, 2) == [
        (
            f"The vendor's 999 refused the file with claim {SECOND} because of other claims in it; nothing is said against "
            "this one."
        )
    ]


def test_a_refused_envelope_sends_the_charges_back(sent: Workplace) -> None:
    _reply(sent, ta1(1, "R", "006"))
    assert _file_states(sent) == [FileStatus.REJECTED]
    assert _states(sent) == (HELD, HELD)
    assert _messages(sent) == [
        f"The vendor's TA1 refused the file with claim {FIRST}: interchange: the sender is not known to the receiver."
    ]


def test_one_of_two_transaction_sets_refused(small_workplace: Workplace) -> None:
    partner = small_workplace.applied.practice.trading_partner.model_copy(update={"claims_per_transaction": 1})
    small_workplace.apply(trading_partner=partner)
    small_workplace.source.put(*_patients(2))
    small_workplace.run()
    _reply(small_workplace, a999(1, "AK2*837*0001", "IK5*A", "AK2*837*0002", "IK5*R*5", "AK9*P*2*2*1"))
    assert _file_states(small_workplace) == [FileStatus.PARTLY_ACCEPTED]
    assert _states(small_workplace) == (CLAIMED, HELD)


def test_a_277ca_accepts_one_claim_and_refuses_another(workplace: Workplace) -> None:
    workplace.source.put(*_patients(2))
    workplace.run()
    _reply(workplace, about_claims(yes(FIRST, "PRM26A7"), no(SECOND)))
    assert _states(workplace) == (ACCEPTED, HELD)
    assert _messages(workplace, 2) == [
        (
            f"The payer's side refused claim {SECOND}: Rejected for wrong data: NPI of the billing provider "
            '("NOT ENROLLED WITH US").'
        )
    ]
    with workplace.database.transaction() as session:
        stored = session.query(ClaimRow).filter_by(number=FIRST).one()
        assert stored.unseal(workplace.database.keyring, "answer") == b"PRM26A7"
    assert _outcomes(workplace) == [
        ("read", "1 claims accepted, 1 refused, 0 answers about nothing sent here"),
    ]


def test_a_receipt_leaves_the_charge_where_it_is(sent: Workplace) -> None:
    _reply(sent, about_claims(claim(FIRST, "STC*A1:19:PR*20261124*WQ*150"), claim(SECOND, "STC*A0:16:PR*20261124*WQ")))
    assert _states(sent) == (CLAIMED, CLAIMED)


def test_a_refusal_of_everything_at_once_has_no_claim_number(sent: Workplace) -> None:
    _reply(sent, a277ca(*receiver("0000000010001", "STC*A3:496:85*20261124*U*300")))
    assert _file_states(sent) == [FileStatus.REJECTED]
    assert _states(sent) == (HELD, HELD)
    assert "the submitter may not submit for the billing provider" in _messages(sent)[0]


def test_a_refusal_of_a_provider_is_about_that_providers_claims(sent: Workplace) -> None:
    _reply(sent, a277ca(*receiver("0000000010001"), *provider("1003000126", "STC*A8:562:85*20261124*U*300")))
    assert _states(sent) == (CLAIMED, CLAIMED)
    assert _file_states(sent) == [FileStatus.SENT]
    _reply(sent, a277ca(*receiver("0000000010001"), *provider(NPI, "STC*A8:562:85*20261124*U*300")))
    assert _states(sent) == (HELD, HELD)


def test_many_claims_are_carried_out_in_parts(sent: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "AT_ONCE", 1)
    _reply(sent, about_claims(yes(FIRST), yes(SECOND)))
    assert _states(sent) == (ACCEPTED, ACCEPTED)
    _reply(sent, about_claims(no(FIRST), no(SECOND)))
    assert _states(sent) == (HELD, HELD)


def test_the_same_reply_twice_counts_once(sent: Workplace) -> None:
    _reply(sent, about_claims(no(FIRST)), about_claims(no(FIRST)))
    assert len(_outcomes(sent)) == 1
    assert _what(sent).count("refused") == 1


def test_the_same_refusal_in_another_file_changes_nothing(sent: Workplace) -> None:
    _reply(sent, about_claims(no(FIRST)), about_claims(no(FIRST), number=78))
    assert [outcome for _, outcome in _outcomes(sent)] == [
        "0 claims accepted, 1 refused, 0 answers about nothing sent here",
        "0 claims accepted, 0 refused, 0 answers about nothing sent here",
    ]
    assert len(_messages(sent)) == 1


@pytest.mark.parametrize("content", [b"", b"Received your file.\r\n", accepted(1)[:-40]])
def test_what_nobody_can_read_is_kept_and_named(sent: Workplace, content: bytes) -> None:
    _reply(sent, content)
    ((state, sentence),) = _outcomes(sent)
    assert state == "unreadable"
    assert sentence.endswith(".")
    with sent.database.transaction() as session:
        kept = session.query(ResponseRow).one()
        assert (kept.name, kept.unseal(sent.database.keyring, "content")) == ("000.x12", content)
    assert _file_states(sent) == [FileStatus.SENT]


@pytest.mark.parametrize(
    "content",
    [
        refused(2),
        refused(1, to="SOMEBODY"),
        refused(1, usage="P"),
        ta1(9, "R", "006"),
        about_claims(no("CR00000009901")),
        about_claims(no(FIRST), usage="P"),
        about_claims(no(FIRST), to="SOMEBODY"),
        a277ca(*receiver("SOMETHING", "STC*A3:24:41*20261124*U*300")),
    ],
)
def test_an_answer_about_nothing_sent_here_is_counted_and_does_nothing(sent: Workplace, content: bytes) -> None:
    if b"SOMEBODY" in content:
        content = content.replace(b"*PRAIRIE*LAKE01*", b"*PRAIRIE*SOMEBODY*")
    _reply(sent, content)
    assert _outcomes(sent) == [("read", "0 claims accepted, 0 refused, 1 answers about nothing sent here")]
    assert _file_states(sent) == [FileStatus.SENT]
    assert _states(sent) == (CLAIMED, CLAIMED)


def test_a_file_not_sent_yet_cannot_be_answered(small_workplace: Workplace) -> None:
    small_workplace.source.put(*_patients(1))
    small_workplace.run("pull", "judge", "generate")
    _reply(small_workplace, refused(1), about_claims(no(FIRST)))
    assert _file_states(small_workplace) == [FileStatus.BUILT]
    assert _states(small_workplace) == (CLAIMED,)


@pytest.mark.parametrize("content", [ta1(1), accepted(1), about_claims(yes(FIRST))])
def test_an_answer_proves_that_an_uncertain_file_was_received(sent: Workplace, content: bytes) -> None:
    with sent.database.transaction() as session:
        session.query(ClaimFileRow).one().status = FileStatus.UNCERTAIN
    _reply(sent, content)
    assert _file_states(sent)[0] in (FileStatus.SENT, FileStatus.ACCEPTED)


# In any order


def test_a_late_acceptance_of_a_refused_claim_is_for_a_person(sent: Workplace) -> None:
    _reply(sent, refused(1), about_claims(yes(FIRST)))
    assert _states(sent) == (HELD, HELD)
    assert len(_messages(sent)) == 2
    assert "which an earlier answer refused" in _messages(sent)[1]


def test_a_late_acceptance_stops_a_claim_that_would_go_out_again(sent: Workplace) -> None:
    _reply(sent, about_claims(no(FIRST)))
    (item,) = _case(sent).items
    review.waive(sent.database, item.number, by="ada", reason="enrolled now", clock=sent.clock)
    sent.run("judge")
    _reply(sent, about_claims(yes(FIRST)))
    sent.run()
    assert _states(sent)[0] is HELD
    assert len(sent.files()) == 1


def test_a_refusal_after_acceptance_sends_the_charge_back(sent: Workplace) -> None:
    _reply(sent, about_claims(yes(FIRST)), about_claims(no(FIRST)))
    assert _states(sent) == (HELD, CLAIMED)


def test_a_file_refused_late_leaves_the_claims_that_the_payer_has(sent: Workplace) -> None:
    _reply(sent, about_claims(yes(FIRST)), refused(1))
    assert _states(sent) == (ACCEPTED, HELD)


def test_a_ta1_that_refuses_a_second_copy_refuses_no_claim(sent: Workplace) -> None:
    _reply(sent, accepted(1), ta1(1, "R", "025"))
    assert _file_states(sent) == [FileStatus.ACCEPTED]
    assert _states(sent) == (CLAIMED, CLAIMED)


def test_the_duplicate_of_a_file_that_was_sent_again_refuses_no_claim(sent: Workplace) -> None:
    delivery.resend(sent.database, 1, by="ada", why="nobody answered", clock=sent.clock)
    sent.run("deliver")
    _reply(sent, ta1(1, "R", "025"))
    assert _file_states(sent) == [FileStatus.SENT]
    assert _states(sent) == (CLAIMED, CLAIMED)
    _reply(sent, ta1(1, "R", "006"))  # another refusal is one
    assert _file_states(sent) == [FileStatus.REJECTED]


@pytest.mark.parametrize(
    ("reply", "became"),
    [
        (ta1(1), FileStatus.SENT),
        (accepted(1), FileStatus.ACCEPTED),
        (about_claims(yes(FIRST)), FileStatus.SENT),
        (a835(*paid(FIRST), paid="80"), FileStatus.SENT),
    ],
    ids=["TA1", "999", "277CA", "835"],
)
def test_what_was_said_of_the_first_copy_counts_while_the_second_waits(
    sent: Workplace, reply: bytes, became: FileStatus
) -> None:
    delivery.resend(sent.database, 1, by="ada", why="nobody answered", clock=sent.clock)
    _reply(sent, reply)
    assert _file_states(sent) == [became]
    outbound = sent.folder / "outbound"
    for file in outbound.iterdir():
        file.unlink()
    sent.run("deliver")
    assert not list(outbound.iterdir())  # the vendor has it, so it is not sent again


def test_a_number_that_somebody_else_used_before_refuses_the_file(sent: Workplace) -> None:
    _reply(sent, ta1(1, "R", "025"))
    assert _file_states(sent) == [FileStatus.REJECTED]
    assert _states(sent) == (HELD, HELD)


def test_what_was_waived_for_one_claim_does_not_silence_the_refusal_of_the_next(sent: Workplace) -> None:
    _reply(sent, about_claims(no(FIRST)))
    (item,) = _case(sent).items
    review.waive(sent.database, item.number, by="ada", reason="enrolled now", clock=sent.clock)
    sent.run()
    assert _states(sent)[0] is CLAIMED
    _reply(sent, about_claims(no("CR00000000102")))
    assert _states(sent)[0] is HELD
    assert len([each for each in _case(sent).items if each.state == "open"]) == 1


def test_an_answer_to_an_earlier_claim_does_not_touch_the_present_one(sent: Workplace) -> None:
    _reply(sent, about_claims(no(FIRST)))
    (item,) = _case(sent).items
    review.waive(sent.database, item.number, by="ada", reason="enrolled now", clock=sent.clock)
    sent.run()
    _reply(sent, about_claims(no(FIRST), number=78))
    assert _states(sent)[0] is CLAIMED


# Remittances


def _payments(workplace: Workplace) -> list[tuple[str, int]]:
    with workplace.database.transaction() as session:
        return [(str(row.decision), int(row.paid)) for row in session.query(PaymentRow).order_by(PaymentRow.id)]


def _details(workplace: Workplace, number: int = 1) -> list[str]:
    return [event.detail for event in _case(workplace, number).events if event.detail]


def test_a_paid_claim_is_accepted_and_a_denied_one_returns_to_review(workplace: Workplace) -> None:
    workplace.source.put(*_patients(2))
    workplace.run()
    _reply(workplace, a835(*paid(FIRST), *denied(SECOND), "PLB*1993999998*20261231*WO:X*10", paid="70"))
    assert _states(workplace) == (ACCEPTED, HELD)
    assert _details(workplace) == [
        "By payment EFT1001 of 2026-12-01: 80.00 of 150.00 paid, 20.00 owed by the patient, 50.00 neither."
    ]
    (item,) = _case(workplace, 2).items
    assert (item.finding.rule, item.finding.at) == ("835", f"claim {SECOND}, payment EFT1001")
    assert item.finding.message == (
        f"The payer denied claim {SECOND} (payment EFT1001 of 2026-12-01): 99213, 0.00 of 150.00 paid: 150.00 not medically "
        "necessary in the payer's view (CO-50); a local coverage determination (LCD) was applied (N115)."
    )
    assert item.finding.evidence == {"payer's claim number": "PRM26A7", "reasons": "CO-50", "remarks": "N115"}
    assert _outcomes(workplace) == [
        (
            "read",
            (
                "2 payments of claims: 1 paid, 1 denied; 0 about nothing sent here; 10.00 taken from the payment: "
                "overpayment recovered (WO)"
            ),
        )
    ]
    with workplace.database.transaction() as session:
        first = session.query(ClaimRow).filter_by(number=FIRST).one()
        assert first.unseal(workplace.database.keyring, "answer") == b"PRM26A7"
        row = session.query(PaymentRow).filter_by(claim_id=first.id).one()
        assert [row.charged, row.paid, row.patient_responsibility] == [150, 80, 20]
        kept = posting.payment_of(row, workplace.database.keyring)
        assert [(each.group, each.reason, str(each.amount)) for each in kept.lines[0].adjustments] == [
            ("CO", "45", "50"),
            ("PR", "3", "20"),
        ]


def test_a_denied_claim_is_not_sent_again_by_itself(sent: Workplace) -> None:
    _reply(sent, a835(*denied(FIRST), paid="0"))
    (item,) = _case(sent).items
    review.waive(sent.database, item.number, by="ada", reason="the payer is right", clock=sent.clock)
    assert _states(sent)[0] is ACCEPTED
    sent.run()
    assert _states(sent)[0] is ACCEPTED
    assert len(sent.files()) == 1


def test_a_denied_line_of_a_paid_claim_is_for_a_person(sent: Workplace) -> None:
    lines = ("SVC*HC:99213*100*100", "SVC*HC:36415*50*0", "CAS*CO*97*50")
    _reply(sent, a835(*decided(FIRST, "150*100*0", *lines), paid="100"))
    assert _states(sent)[0] is HELD
    assert _messages(sent) == [
        (
            f"The payer paid 100.00 of 150.00 of claim {FIRST} and denied lines of it (payment EFT1001 of 2026-12-01): "
            "36415, 0.00 of 50.00 paid: 50.00 included in the payment of another service (CO-97)."
        )
    ]


def test_a_denial_without_lines_or_reasons_says_so(sent: Workplace) -> None:
    _reply(sent, a835(*decided(FIRST, "0*0*0", status="4"), *decided(SECOND, "150*0*0", "CAS*CO*29*150"), paid="0"))
    assert _messages(sent)[0].endswith(": no reason is given.")
    assert _messages(sent, 2)[0].endswith(": the claim as a whole: 150.00 filed too late (CO-29).")


def test_a_payment_is_posted_once_in_whatever_file_it_comes(sent: Workplace) -> None:
    content = a835(*paid(FIRST), *denied(SECOND), paid="80")
    _reply(sent, content, content, a835(*paid(FIRST), *denied(SECOND), paid="80", number=78))
    assert _payments(sent) == [("paid", 80), ("denied", 0)]
    assert _what(sent).count("paid") == 1
    assert [outcome for _, outcome in _outcomes(sent)] == [
        "2 payments of claims: 1 paid, 1 denied; 0 about nothing sent here",
        "2 payments of claims: none new; 2 posted before; 0 about nothing sent here",
    ]


def test_a_payment_that_stands_twice_in_one_file_is_posted_once(sent: Workplace) -> None:
    twice = [payment(*paid(FIRST), paid="80")] * 2
    _reply(sent, interchange(*group(*twice, code="HP", version="005010X221A1")))
    assert _payments(sent) == [("paid", 80)]
    with sent.database.transaction() as session:
        assert [(row.paid, row.repeated) for row in session.query(RemittanceRow).order_by(RemittanceRow.id)] == [
            (Decimal(80), Decimal(0)),
            (Decimal(80), Decimal(80)),
        ]


def test_a_waived_denial_stays_waived_when_its_remittance_comes_again(sent: Workplace) -> None:
    _reply(sent, a835(*denied(FIRST), paid="0"))
    (item,) = _case(sent).items
    review.waive(sent.database, item.number, by="ada", reason="the payer is right", clock=sent.clock)
    _reply(sent, a835(*denied(FIRST), paid="0", number=78))
    assert _states(sent)[0] is ACCEPTED
    _reply(sent, a835(*denied(FIRST, "97"), paid="0", trace="EFT1002"))
    assert _states(sent)[0] is HELD


def test_a_reversal_with_a_new_decision_leaves_the_claim_settled(sent: Workplace) -> None:
    _reply(sent, a835(*paid(FIRST), paid="80"))
    again = decided(FIRST, "150*90*20", "SVC*HC:99213*150*90", "CAS*CO*45*40", "CAS*PR*3*20")
    _reply(sent, a835(*taken_back(FIRST), *again, paid="10", trace="EFT1002"))
    assert _states(sent)[0] is ACCEPTED
    assert _payments(sent) == [("paid", 80), ("reversed", -80), ("paid", 90)]
    assert "By payment EFT1002 of 2026-12-01: 80.00 of 150.00 taken back." in _details(sent)


def test_a_reversal_alone_is_for_a_person(sent: Workplace) -> None:
    _reply(sent, a835(*paid(FIRST), paid="80"))
    _reply(sent, a835(*taken_back(FIRST), "PLB*1993999998*20261231*FB:X*-80", paid="0", trace="EFT1002"))
    assert _states(sent)[0] is HELD
    assert "took back 80.00 that it had paid" in _messages(sent)[0]


def test_what_is_not_decided_is_noted_and_moves_nothing(sent: Workplace) -> None:
    _reply(sent, a835(*decided(FIRST, "150*0*0", "CAS*OA*B11*150", status="23"), paid="0"))
    assert _states(sent)[0] is CLAIMED
    assert _what(sent)[-1] == "undecided"


def test_payments_of_claims_never_sent_are_counted_and_do_nothing(sent: Workplace) -> None:
    _reply(sent, a835(*paid("ACCOUNT77"), *paid("CR00000009901"), paid="160"))
    assert _outcomes(sent) == [("read", "2 payments of claims: none new; 2 about nothing sent here")]
    assert _states(sent) == (CLAIMED, CLAIMED)
    assert not _payments(sent)


def test_a_test_remittance_never_decides_about_production_nor_a_file_not_sent_yet(small_workplace: Workplace) -> None:
    small_workplace.source.put(*_patients(1))
    small_workplace.run("pull", "judge", "generate")
    _reply(small_workplace, a835(*paid(FIRST), paid="80"))
    small_workplace.run("deliver")
    _reply(small_workplace, a835(*paid(FIRST), paid="80", usage="P"))
    assert {outcome for _, outcome in _outcomes(small_workplace)} == {
        "1 payments of claims: none new; 1 about nothing sent here"
    }
    assert _states(small_workplace) == (CLAIMED,)


def test_a_remittance_under_another_name_of_the_practice_must_be_about_the_same_charge(sent: Workplace) -> None:
    other = decided(SECOND, "99*99*0")
    _reply(sent, a835(*paid(FIRST), *other, paid="179", to="BILLER9").replace(b"*PRAIRIE*LAKE01*", b"*PRAIRIE*X*"))
    assert _states(sent) == (ACCEPTED, CLAIMED)


def test_a_remittance_proves_that_an_uncertain_file_was_received(sent: Workplace) -> None:
    with sent.database.transaction() as session:
        session.query(ClaimFileRow).one().status = FileStatus.UNCERTAIN
    _reply(sent, a835(*paid(FIRST), paid="80"))
    assert _file_states(sent) == [FileStatus.SENT]


def test_a_remittance_that_does_not_add_up_is_kept_and_named_and_not_carried_out(sent: Workplace) -> None:
    content = a835(*paid(FIRST), *denied(SECOND), paid="81")
    _reply(sent, content)
    ((state, sentence),) = _outcomes(sent)
    assert state == "unbalanced"
    assert sentence.startswith(
        "The remittance does not add up, so nothing of it was carried out: Payment EFT1001 is 81.00"
    )
    assert sentence.endswith("Ask the payer for a corrected one.")
    assert _states(sent) == (CLAIMED, CLAIMED)
    assert not _payments(sent)
    with sent.database.transaction() as session:
        assert session.query(ResponseRow).one().unseal(sent.database.keyring, "content") == content


def test_many_faults_are_counted_and_name_no_claim(sent: Workplace) -> None:
    wrong = [segment for _ in range(7) for segment in decided("ACCOUNT77", "150*80*20")]
    _reply(sent, a835(*wrong, paid="560"))
    ((_, sentence),) = _outcomes(sent)
    assert "And 2 more." in sentence
    assert "ACCOUNT77" not in sentence


def test_several_payments_and_other_answers_may_come_in_one_file(sent: Workplace) -> None:
    two = group(
        payment(*paid(FIRST), paid="80", trace="A"),
        payment(*denied(SECOND), paid="0", trace="B"),
        code="HP",
        version="X",
    )
    _reply(sent, interchange(*two) + accepted(1))
    assert _states(sent) == (ACCEPTED, HELD)
    assert _file_states(sent) == [FileStatus.ACCEPTED]
    assert _outcomes(sent)[0][1].startswith(
        "2 claims accepted, 0 refused, 0 answers about nothing sent here; 2 payments"
    )


def test_a_refusal_that_comes_after_the_payment_is_for_a_person(sent: Workplace) -> None:
    _reply(sent, a835(*paid(FIRST), paid="80"), about_claims(yes(FIRST)), accepted(1))
    assert _states(sent)[0] is ACCEPTED
    _reply(sent, about_claims(no(FIRST)))
    assert _states(sent)[0] is HELD


def test_a_payment_of_a_refused_claim_stops_the_claim_that_would_go_out_again(sent: Workplace) -> None:
    _reply(sent, about_claims(no(FIRST)), about_claims(no(SECOND), number=78))
    (item,) = _case(sent).items
    review.waive(sent.database, item.number, by="ada", reason="enrolled now", clock=sent.clock)
    sent.run("judge")
    _reply(sent, a835(*paid(FIRST), *denied(SECOND), paid="80"))
    sent.run()
    assert _states(sent) == (HELD, HELD)
    assert "which an earlier answer refused" in _messages(sent)[-1]
    assert len(_messages(sent, 2)) == 1
    assert len(sent.files()) == 1


def test_nothing_of_a_remittance_that_names_a_person_is_in_plain_columns(sent: Workplace) -> None:
    segments = decided(FIRST, "150*0*0", "NM1*74*1*ZYXWVUT*QQFIRST", "CAS*CO*29*150")
    of_others = decided("ACCOUNT77", "150*0*0", "CAS*CO*29*150")
    _reply(sent, a835(*segments, *of_others, "PLB*1993999998*20261231*WO:ACCOUNT88*0", paid="0"))
    assert _payments(sent) == [("denied", 0)]
    files = list(sent.folder.glob("chargerouter.db*"))
    content = b"".join(path.read_bytes() for path in files)
    assert files
    assert not [mark for mark in (b"ZYXWVUT", b"QQFIRST", b"PMH8812345", b"ACCOUNT") if mark in content]
