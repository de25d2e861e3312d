"""Every kind of reply in every condition: what came, in what order, how often, and what became of it."""

from collections.abc import Sequence
from itertools import permutations

import pytest

from charges import overview, review
from charges.desk import handing_out
from charges.tables import AnswerRow, ChargeStatus, ClaimFileRow, ClaimRow, FileStatus, PaymentRow
from rules.examples import PATIENT, charge
from tests.practice import Workplace
from tests.replies import (
    PAYER,
    a277ca,
    a835,
    about_claims,
    accepted,
    claim,
    group,
    interchange,
    no,
    paid,
    provider,
    receiver,
    refused,
    ta1,
    yes,
)

FIRST = "CR00000000101"


def _sent(workplace: Workplace, files: int = 1) -> Workplace:
    partner = workplace.applied.practice.trading_partner.model_copy(update={"claims_per_file": 1})
    workplace.apply(trading_partner=partner)
    workplace.source.put(
        *(
            charge(key=str(number), patient=PATIENT.model_copy(update={"record_number": str(number)}))
            for number in range(files)
        )
    )
    workplace.run()
    return workplace


def _put(workplace: Workplace, **contents: bytes) -> None:
    inbound = workplace.folder / "inbound"
    inbound.mkdir(exist_ok=True)
    for name, content in contents.items():
        (inbound / name.replace("_dot_", ".").replace("__", "-")).write_bytes(content)
        workplace.run("queue")


def _file_states(workplace: Workplace) -> Sequence[FileStatus]:
    with workplace.database.transaction() as session:
        return [row.status for row in session.query(ClaimFileRow).order_by(ClaimFileRow.id)]


def _answers(workplace: Workplace) -> Sequence[tuple[str, str, bool]]:
    with workplace.database.transaction() as session:
        rows = session.query(AnswerRow).order_by(AnswerRow.id)
        return [(row.kind, row.outcome, row.claim_id is not None) for row in rows]


def test_in_any_order_and_twice_it_ends_the_same(small_workplace: Workplace) -> None:
    orders = list(permutations(("TA1", "999", "277CA", "835")))
    workplace = _sent(small_workplace, len(orders))
    for number, order in enumerate(orders, 1):
        clm01 = f"CR{number:09d}01"
        replies = {
            "TA1": ta1(number, number=number),
            "999": accepted(number, number=number),
            "277CA": about_claims(yes(clm01), number=number),
            "835": a835(*paid(clm01), paid="80", trace=f"EFT{number}", number=number),
        }
        for kind in (*order, *reversed(order)):
            _put(workplace, **{f"{number}-{kind}_dot_x12": replies[kind]})
    assert set(workplace.states().values()) == {ChargeStatus.ACCEPTED}
    assert set(_file_states(workplace)) == {FileStatus.ACCEPTED}
    assert not review.held(workplace.database)
    with workplace.database.transaction() as session:
        assert session.query(PaymentRow).count() == len(orders)
        assert all(row.live and row.accepted for row in session.query(ClaimRow))


def test_several_replies_in_one_interchange(small_workplace: Workplace) -> None:
    workplace = _sent(small_workplace, 2)
    claims = [*PAYER, *receiver("0"), *provider("1993999998"), *yes(FIRST), *no("CR00000000201")]
    functional = ["AK1*HC*1*005010X222A1", "AK2*837*0001*005010X222A1", "IK5*A", "AK9*A*1*1*1"]
    _put(
        workplace,
        all_dot_x12=interchange(
            "TA1*000000001*261123*1200*A*000",
            *group(functional, code="FA", version="005010X231A1"),
            *group(claims, code="HN", version="005010X214"),
        ),
    )
    assert tuple(workplace.states().values()) == (ChargeStatus.ACCEPTED, ChargeStatus.HELD)
    assert _answers(workplace) == [
        ("TA1", "pending", False),
        ("999", "accepted", False),
        ("277CA", "accepted", True),
        ("277CA", "rejected", True),
    ]


def test_a_reply_that_is_cut_short_carries_out_nothing_of_it(small_workplace: Workplace) -> None:
    workplace = _sent(small_workplace, 2)
    whole = about_claims(yes(FIRST), no("CR00000000201"))
    _put(workplace, cut_dot_x12=whole[: whole.index(b"REF*1K") + 200])
    assert set(workplace.states().values()) == {ChargeStatus.CLAIMED}
    (reply,) = overview.replies(workplace.database)
    assert reply.state == "unreadable"
    _put(workplace, whole_dot_x12=whole)
    assert tuple(workplace.states().values()) == (ChargeStatus.ACCEPTED, ChargeStatus.HELD)


def test_a_late_refusal_of_a_paid_claim_is_for_a_person_and_bills_nothing_again(small_workplace: Workplace) -> None:
    workplace = _sent(small_workplace)
    _put(workplace, a_dot_x12=a835(*paid(FIRST), paid="80"), b_dot_x12=about_claims(no(FIRST)))
    workplace.run()
    assert tuple(workplace.states().values()) == (ChargeStatus.HELD,)
    assert len(workplace.files()) == 1


def test_a_refusal_tells_category_status_and_entity_in_words(small_workplace: Workplace) -> None:
    workplace = _sent(small_workplace)
    _put(workplace, a_dot_x12=about_claims(claim(FIRST, "STC*A6:164:IL*20261124*U*150", "DTP*472*D8*20261116")))
    (held,) = review.held(workplace.database)
    message = held.items[0].finding.message
    assert message.startswith(f"The payer's side refused claim {FIRST}: Rejected for missing data")
    assert "subscriber" in message
    assert held.items[0].finding.evidence == {"status": "A6:164:IL"}


@pytest.mark.parametrize(
    "level",
    [
        receiver("0000000010001", "STC*A3:24:41*20261124*U*300"),
        [*receiver("0000000010001"), *provider("1993999998", "STC*A8:562:85*20261124*U*300")],
    ],
    ids=["receiver", "provider"],
)
def test_a_refusal_above_the_claims_reaches_each_of_them(small_workplace: Workplace, level: list[str]) -> None:
    workplace = _sent(small_workplace)
    _put(workplace, a_dot_x12=a277ca(*level))
    (held,) = review.held(workplace.database)
    assert FIRST in held.items[0].finding.message
    assert held.items[0].finding.rule == "277CA"
    assert _answers(workplace) == [("277CA", "rejected", False)]


# Reports in words


def _named(workplace: Workplace) -> Sequence[int]:
    with workplace.database.transaction() as session:
        return [row.claim_file_id for row in session.query(AnswerRow).filter_by(kind="report").order_by(AnswerRow.id)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("today.txt", "Your file {name} was received. 1 claim REJECTED."),
        ("today.rpt", "Submission {stem}: all claims accepted."),
        ("today.log", "ISA13 000000001 received at noon"),
        ("{stem}.txt", "Received."),
    ],
)
def test_a_report_is_kept_with_the_file_it_names_and_decides_nothing(
    small_workplace: Workplace, name: str, text: str
) -> None:
    workplace = _sent(small_workplace, 2)
    file = workplace.files()[0]
    words = {"name": file.name, "stem": file.stem}
    inbound = workplace.folder / "inbound"
    inbound.mkdir()
    (inbound / name.format(**words)).write_text(text.format(**words), encoding="ascii")
    workplace.run("queue")
    assert _named(workplace) == [1]
    assert set(workplace.states().values()) == {ChargeStatus.CLAIMED}
    assert set(_file_states(workplace)) == {FileStatus.SENT}
    (reply,) = overview.replies(workplace.database)
    assert reply.state == "report"
    assert reply.outcome == (
        "A report in words, which decides nothing; it names file 1. Read it with `charges files reply 1`."
    )
    assert (
        handing_out.reply(workplace.database, 1, by="ann", clock=workplace.clock).content
        == text.format(**words).encode()
    )


def test_a_report_about_nothing_sent_here_is_kept_and_named(small_workplace: Workplace) -> None:
    workplace = _sent(small_workplace)
    _put(workplace, news_dot_txt=b"Our office is closed on 123456789 days. \xc9")
    (reply,) = overview.replies(workplace.database)
    assert "it names no file that was sent from here" in reply.outcome
    assert _named(workplace) == []


def test_x12_with_the_ending_of_a_report_is_read_as_x12(small_workplace: Workplace) -> None:
    workplace = _sent(small_workplace)
    _put(workplace, answer_dot_txt=refused(1))
    assert tuple(workplace.states().values()) == (ChargeStatus.HELD,)


def test_a_word_that_begins_like_x12_is_still_a_word(small_workplace: Workplace) -> None:
    workplace = _sent(small_workplace)
    _put(workplace, news_dot_txt=b"ISA 13 of today is 000000001")
    assert _named(workplace) == [1]
