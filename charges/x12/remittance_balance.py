"""Whether a remittance adds up (005010X221A1, 1.10.2): each line, each claim, its lines with it, the payment as a whole.

Reversals and denials obey the same laws as payments do: every amount that is not paid has an adjustment that says why.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from charges.model import Adjustment
from charges.x12.remittance import ClaimPayment, LinePayment, Remittance


@dataclass(frozen=True, slots=True)
class Fault:
    """What does not add up. ``place`` counts claims and lines from 1.

    ``claim_number`` is not in the sentence, as somebody else's may be a patient's account number.
    """

    place: str
    sentence: str
    claim_number: str = field(default="", repr=False)


def unbalanced(remittance: Remittance) -> tuple[Fault, ...]:
    """Where the amounts of a remittance contradict each other; nothing where it balances."""
    found: list[Fault] = []
    for number, claim in enumerate(remittance.claims, 1):
        found += _claim(claim, f"claim {number} of payment {remittance.trace}")
    found += _payment(remittance)
    return tuple(found)


def _payment(remittance: Remittance) -> Iterator[Fault]:
    claims = _sum(claim.paid for claim in remittance.claims)
    account = _sum(each.amount for each in remittance.provider_adjustments)
    total = claims - account
    # Some write the amount of a debit with a minus, some say by BPR03 alone which way it goes.
    if remittance.paid == total or (remittance.is_debit and remittance.paid == -total):
        return
    place = f"payment {remittance.trace}"
    yield Fault(
        place,
        f"{_begun(place)} is {_dollars(remittance.paid)} (BPR02), but its claims (CLP04) come to {_dollars(claims)} and "
        f"the provider's account (PLB) takes {_dollars(account)}, which leaves {_dollars(total)}.",
    )


def _claim(claim: ClaimPayment, place: str) -> Iterator[Fault]:
    own = _adjusted(claim.adjustments)
    of_lines = _sum(_adjusted(line.adjustments) for line in claim.lines)
    left = claim.charged - own - of_lines
    if left != claim.paid:
        yield Fault(
            place,
            f"{_begun(place)}: {_dollars(claim.charged)} charged (CLP03) less adjustments (CAS) of "
            f"{_dollars(own + of_lines)} is {_dollars(left)}, but {_dollars(claim.paid)} is paid (CLP04).",
            claim.number,
        )
    for number, line in enumerate(claim.lines, 1):
        yield from _line(line, f"line {number} of {place}", claim.number)
    if not claim.lines:
        return
    charged = _sum(line.charged for line in claim.lines)
    if charged != claim.charged:
        yield Fault(
            place,
            f"{_begun(place)}: {_dollars(claim.charged)} is charged (CLP03), but its lines (SVC02) come to "
            f"{_dollars(charged)}.",
            claim.number,
        )
    paid = _sum(line.paid for line in claim.lines) - own
    if paid != claim.paid:
        yield Fault(
            place,
            f"{_begun(place)}: {_dollars(claim.paid)} is paid (CLP04), but its lines (SVC03) less its own adjustments "
            f"(CAS) come to {_dollars(paid)}.",
            claim.number,
        )


def _line(line: LinePayment, place: str, claim_number: str) -> Iterator[Fault]:
    adjusted = _adjusted(line.adjustments)
    if line.charged - adjusted != line.paid:
        yield Fault(
            place,
            f"{_begun(place)}: {_dollars(line.charged)} charged (SVC02) less adjustments (CAS) of {_dollars(adjusted)} is "
            f"{_dollars(line.charged - adjusted)}, but {_dollars(line.paid)} is paid (SVC03).",
            claim_number,
        )


def _adjusted(adjustments: Iterable[Adjustment]) -> Decimal:
    return _sum(each.amount for each in adjustments)


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))


def _dollars(value: Decimal) -> str:
    return f"{value:.2f}"


def _begun(place: str) -> str:
    return place[:1].upper() + place[1:]
