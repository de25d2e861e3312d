"""What becomes of the claim to a later payer when the charge, or what the first payer decided, changes after it left."""

from decimal import Decimal
from typing import Any

import pytest

from charges import review, secondary
from charges.amending import noticing as after_billing
from charges.amending.deciding import Decision
from charges.errors import Refused
from charges.reconcile import reconcile
from charges.tables import Amendment, ChargeStatus, ClaimRow
from charges.x12 import check, reader
from rules.examples import COVERAGE, MEDICAID, TODAY, charge, line
from tests.practice import Workplace
from tests.replies import a835, about_claims, decided, no, paid, taken_back, yes

FIRST, SECOND, THIRD, FOURTH = (f"CR0000000010{n}" for n in range(1, 5))
REPLACED = ("SVC*HC:99213*175*90**1", "DTM*472*20261116", "CAS*CO*45*55", "CAS*PR*3*30")


def _reply(workplace: Workplace, *contents: bytes) -> None:
    inbound = workplace.folder / "inbound"
    inbound.mkdir(exist_ok=True)
    for content in contents:
        (inbound / f"{len(list(inbound.iterdir())):03d}.x12").write_bytes(content)
        workplace.run("queue")
    workplace.run("judge", "generate", "deliver")


def _claims(workplace: Workplace) -> list[tuple[str, int, str, bool]]:
    with workplace.database.transaction() as session:
        rows = session.query(ClaimRow).order_by(ClaimRow.id)
        return [(row.number, row.payer_rank, row.frequency, row.live) for row in rows]


def _edit(workplace: Workplace, **changes: Any) -> None:
    workplace.source.put(charge(coverages=(COVERAGE, MEDICAID)).model_copy(update=changes))
    workplace.run("pull", "generate")


def _decide(workplace: Workplace, amendment: Amendment) -> None:
    workplace.pipeline.decide(1, Decision(amendment, "ada", "corrected"))
    workplace.run("judge", "generate", "deliver")


def _replace(workplace: Workplace, **more: str) -> None:
    secondary.replace(
        workplace.database,
        workplace.applied.practice,
        1,
        by="ada",
        reason="the first payer decided anew",
        clock=workplace.clock,
        **more,
    )


def _holds(workplace: Workplace) -> bool:
    applied = workplace.applied
    return reconcile(workplace.database, applied.id, applied.practice, TODAY).holds


def _asked_twice(workplace: Workplace) -> Workplace:
    workplace.source.put(charge(coverages=(COVERAGE, MEDICAID)))
    workplace.run()
    _reply(workplace, about_claims(yes(FIRST)), a835(*paid(FIRST), paid="80"))
    assert _claims(workplace) == [(FIRST, 1, "1", True), (SECOND, 2, "1", True)]
    return workplace


def _decided_anew(workplace: Workplace) -> None:
    """The first payer takes back what it paid and decides the claim that took the place of the first one."""
    _edit(workplace, lines=(line(charge=Decimal("175.00")),))
    _decide(workplace, Amendment.REPLACE)
    answer = decided(THIRD, "175*90*30", *REPLACED)
    _reply(workplace, a835(*taken_back(FIRST), *answer, paid="10", trace="EFT2"))


@pytest.fixture
def asked(workplace: Workplace) -> Workplace:
    """A charge that was claimed of two payers, of which the first one decided."""
    return _asked_twice(workplace)


@pytest.fixture
def small(small_workplace: Workplace) -> Workplace:
    return _asked_twice(small_workplace)


def test_the_next_payer_is_told_anew_under_its_own_number(asked: Workplace) -> None:
    _reply(asked, about_claims(yes(SECOND, "MDC77")))
    _decided_anew(asked)
    assert list(asked.states().values()) == [ChargeStatus.HELD]
    (held,) = review.held(asked.database)
    assert "decided anew after claim CR00000000102 to the next payer left" in held.items[0].finding.message
    assert "`charges secondary replace 1`" in held.items[0].finding.fix
    _replace(asked)
    asked.run("generate", "deliver", "generate")
    assert _claims(asked) == [
        (FIRST, 1, "1", False),
        (SECOND, 2, "1", False),
        (THIRD, 1, "7", True),
        (FOURTH, 2, "7", True),
    ]
    content = asked.files()[-1].read_bytes()
    assert check.check(content).valid
    (claim,) = reader.read(content)
    assert claim.charge.references.payer_claim_number == "MDC77"
    (told,) = claim.charge.lines[0].adjudications
    assert (claim.charge.total, told.paid) == (Decimal(175), Decimal(90))
    assert list(asked.states().values()) == [ChargeStatus.CLAIMED]
    assert _holds(asked)


def test_when_the_next_payer_refuses_it_the_claim_before_stands_again(small: Workplace) -> None:
    _decided_anew(small)
    with pytest.raises(Refused, match="has given no number"):
        _replace(small)
    _replace(small, payer_claim_number="mdc77")
    small.run("generate", "deliver")
    _reply(small, about_claims(no(FOURTH)))
    assert [each[0] for each in _claims(small) if each[3]] == [SECOND, THIRD]
    assert list(small.states().values()) == [ChargeStatus.HELD]
    (held,) = review.held(small.database)
    assert f"It was the replacement of claim {SECOND}" in held.items[0].finding.message


def test_it_can_still_be_replaced_after_the_finding_was_waived(small: Workplace) -> None:
    _decided_anew(small)
    (held,) = review.held(small.database)
    review.waive(small.database, held.items[0].number, by="ada", reason="later", clock=small.clock)
    assert list(small.states().values()) == [ChargeStatus.CLAIMED]
    _replace(small, payer_claim_number="MDC77")
    small.run("generate")
    assert _claims(small)[-1] == (FOURTH, 2, "7", True)


def test_it_waits_while_anything_else_holds_the_charge(small: Workplace) -> None:
    _reply(small, about_claims(yes(SECOND, "MDC77")))
    _edit(small, lines=(line(charge=Decimal("175.00")),))
    with pytest.raises(Refused, match="waits for a decision about SRC-002"):
        _replace(small)


def test_without_a_claim_to_a_later_payer_there_is_none_to_replace(small_workplace: Workplace) -> None:
    small_workplace.source.put(charge())
    small_workplace.run()
    with pytest.raises(Refused, match="to a later payer is out"):
        _replace(small_workplace)


def test_a_charge_voided_after_two_claims_left_is_taken_back_at_both(asked: Workplace) -> None:
    _reply(asked, about_claims(yes(SECOND, "MDC77")))
    _edit(asked, voided=True)
    _decide(asked, Amendment.VOID)
    _reply(asked, about_claims(yes(THIRD)))
    assert [each for each in _claims(asked) if each[3]] == [(SECOND, 2, "1", True)]
    assert list(asked.states().values()) == [ChargeStatus.HELD], "the second payer still has its claim"
    difference = after_billing.shown(asked.database, 1)
    assert difference is not None
    assert (difference.claim, difference.proposal, difference.payer_claim_number) == (SECOND, Amendment.VOID, "MDC77")
    with pytest.raises(Refused, match="Void it"):
        _decide(asked, Amendment.RENEW)
    _decide(asked, Amendment.VOID)
    assert _claims(asked)[-1] == (FOURTH, 2, "8", True)
    (claim,) = reader.read(asked.files()[-1].read_bytes())
    assert claim.charge.coverages[0].payer.payer_id == "ILMCD"
    assert claim.charge.references.payer_claim_number == "MDC77"
    assert _holds(asked)
    _reply(asked, about_claims(yes(FOURTH)))
    assert list(asked.states().values()) == [ChargeStatus.VOID]
    assert _holds(asked)


def test_a_charge_that_is_for_another_payer_now_is_billed_anew_when_both_took_their_voids(small: Workplace) -> None:
    _reply(small, about_claims(yes(SECOND, "MDC77")))
    _edit(small, coverages=(MEDICAID,))
    _decide(small, Amendment.VOID)
    _reply(small, about_claims(yes(THIRD)))
    _decide(small, Amendment.VOID)
    _reply(small, about_claims(yes(FOURTH)))
    assert [each for each in _claims(small) if each[3]] == [("CR00000000105", 1, "1", True)]
    assert _holds(small)
