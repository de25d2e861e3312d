"""Charges held against their documents, their claims, and what payers decided about these."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import pairwise

from charges.model import ServiceLine
from charges.practice.completion import complete
from charges.practice.profile import Practice
from charges.reconcile.stored import StoredCharge, StoredClaim
from charges.reconcile.values import NOTHING, Break, Equation, Part, Place
from charges.tables import NEVER_SENT, ChargeStatus

_CENT = Decimal("0.01")
_BY_STATUS: Mapping[ChargeStatus, Place] = {
    ChargeStatus.CAPTURED: Place.TO_JUDGE,
    ChargeStatus.CLEAN: Place.TO_CLAIM,
    ChargeStatus.HELD: Place.HELD,
    ChargeStatus.SELF_PAY: Place.SELF_PAY,
    ChargeStatus.VOID: Place.VOID,
}
_REPORT = "Change nothing, keep a backup, and give the engineer this sentence."
_ASK = "Ask the payer which decision counts."


class Books:
    """The sums over all charges that were looked at."""

    def __init__(self, practice: Practice) -> None:
        self.practice = practice
        self.entered = NOTHING
        self.places: dict[Place, Decimal] = defaultdict(Decimal)
        self.first_asked = self.later_asked = NOTHING
        self.first: dict[Part, Decimal] = defaultdict(Decimal)
        self.later: dict[Part, Decimal] = defaultdict(Decimal)
        self.elsewhere = NOTHING
        """Paid on claims that do not stand any more."""
        self.forwarded = NOTHING
        """Paid by later payers to whom the first one sent the claim on."""
        self.charges = self.claims = 0

    def enter(self, charge: StoredCharge) -> Iterator[Break]:
        """Add a charge to the sums; gives what is wrong with it."""
        self.charges += 1
        self.claims += len(charge.claims)
        standing = [each for each in charge.claims if each.live]
        first = min(standing, key=lambda each: each.rank, default=None)
        yield from self._placed(charge, first)
        yield from _stands(charge, first)
        for claim in charge.claims:
            self.forwarded += sum((each.paid for rank, each in claim.decided.items() if rank != claim.rank), NOTHING)
            if not claim.live:
                self.elsewhere += claim.own.paid
            elif claim.frequency != "8" and claim.file_status not in NEVER_SENT:
                yield from self._decided(claim, is_first=claim is first)
        yield from _decided_twice(charge)
        yield from _overpaid(charge)

    def equations(self) -> Iterator[Equation]:
        """The sums, each of which must agree."""
        yield Equation("charges", self.entered, {place.value: self.places[place] for place in Place})
        for name, whole, parts in (
            ("claimed of first payers", self.first_asked, self.first),
            ("claimed of later payers", self.later_asked, self.later),
        ):
            yield Equation(name, whole, {part.value: parts[part] for part in Part})

    def _placed(self, charge: StoredCharge, first: StoredClaim | None) -> Iterator[Break]:
        """Put every cent of the charge into one place; what was entered comes from the document, the places from rows."""
        given = charge.document
        # A price that the profile filled in may be another by now; such a charge is what its row or claim says.
        is_priced = all(line.charge is not None for line in given.billed_lines)
        lines = given.lines if is_priced else complete(self.practice, given).lines
        share, asked = _sum(lines, share=True), _sum(lines, share=False)
        is_same = first is not None and first.version == charge.version
        if is_priced and asked != charge.total:
            yield Break(
                "charge-amount",
                f"charge {charge.id}",
                f"Charge {charge.id} is {charge.total:.2f}, but its lines come to {asked:.2f}.",
                _REPORT,
            )
        present = charge.total
        if not is_priced:
            present = asked = first.total if first is not None and is_same else asked
        self.entered += share + asked
        self.places[Place.PATIENT_SHARE] += share
        if first is None:
            self.places[_BY_STATUS.get(charge.status, Place.CLAIMED)] += present
        elif first.file_status in NEVER_SENT:
            self.places[Place.SHADOW] += present
        elif first.frequency == "8":
            self.places[Place.VOID] += present
        else:
            self.places[Place.CLAIMED] += first.total
            if not is_same:
                self.places[Place.CHANGED] += present - first.total
            elif first.total != present:
                yield Break(
                    "claim-amount",
                    f"claim {first.number}",
                    f"Claim {first.number} is {first.total:.2f}, but charge {charge.id} it was made of is {present:.2f}.",
                    _REPORT,
                )

    def _decided(self, claim: StoredClaim, *, is_first: bool) -> Iterator[Break]:
        """Add what became of a claim that stands. What is wrong is in no part, so that the equation is off by it."""
        decided, subject = claim.own, f"claim {claim.number}"
        parts = self.first if is_first else self.later
        if is_first:
            self.first_asked += claim.total
        else:
            self.later_asked += claim.total
        parts[Part.PAID] += decided.paid
        parts[Part.PATIENT] += decided.patient
        parts[Part.DENIED] += decided.refused
        parts[Part.ADJUSTED] += decided.adjusted
        if decided.standing == 0 and decided.charged == 0:
            parts[Part.OPEN] += claim.total
        elif decided.standing > 1 and decided.charged < claim.total:
            parts[Part.OPEN] += claim.total - decided.charged  # the payer split the claim and has not decided all of it
        elif decided.charged != claim.total:
            times = f" in {decided.standing} decisions" if decided.standing > 1 else ""
            yield Break(
                "decided-amount",
                subject,
                f"The payer decided {decided.charged:.2f} of claim {claim.number}{times}, which is {claim.total:.2f}.",
                _ASK,
            )
        told = decided.paid + decided.patient + decided.refused + decided.adjusted
        if told != decided.charged or decided.refused != decided.denied:
            yield Break(
                "decision-parts",
                subject,
                f"The decisions about claim {claim.number} are of {decided.charged:.2f}, but what was paid and the reasons "
                f"come to {told:.2f}, {decided.refused:.2f} of it denied where {decided.denied:.2f} was posted.",
                _REPORT,
            )


def _sum(lines: tuple[ServiceLine, ...], *, share: bool) -> Decimal:
    return sum((line.charge or NOTHING for line in lines if line.patient_share is share), NOTHING).quantize(_CENT)


def _stands(charge: StoredCharge, first: StoredClaim | None) -> Iterator[Break]:
    """The state of a charge and the claim that stands must fit each other, or money is lost or asked twice."""
    subject = f"charge {charge.id}"
    if first is None:
        if charge.status in (ChargeStatus.CLAIMED, ChargeStatus.ACCEPTED):
            yield Break(
                "no-claim", subject, f"Charge {charge.id} is {charge.status}, but no claim of it stands.", _REPORT
            )
        return
    if charge.status in (ChargeStatus.CAPTURED, ChargeStatus.CLEAN) and not charge.amends:
        yield Break(
            "may-go-twice",
            subject,
            f"Charge {charge.id} is {charge.status} while claim {first.number} stands, so it would be billed a second time.",
            "Stop the workers before they build the next file, and give the engineer this sentence.",
        )
    elif charge.status in (ChargeStatus.VOID, ChargeStatus.SELF_PAY):
        yield Break(
            "claim-stands",
            subject,
            f"Charge {charge.id} is {charge.status}, but claim {first.number} stands at the payer.",
            "Void the claim at the payer, and give the engineer this sentence.",
        )


def _decided_twice(charge: StoredCharge) -> Iterator[Break]:
    """Of claims of which one took the other's place the payer should have taken back what it decided about the other."""
    by_rank: dict[int, list[StoredClaim]] = {}
    for claim in charge.claims:
        if claim.own.standing > 0 and claim.frequency != "8":
            by_rank.setdefault(claim.rank, []).append(claim)
    for claims in by_rank.values():
        for earlier, later in pairwise(claims):
            yield Break(
                "decided-twice",
                f"claim {earlier.number}",
                f"Claim {later.number} took the place of claim {earlier.number}, and the payer decided both: it paid "
                f"{earlier.own.paid:.2f} and {later.own.paid:.2f}.",
                "Ask the payer to take one of the decisions back, and return what was paid twice.",
            )


def _overpaid(charge: StoredCharge) -> Iterator[Break]:
    """Whether payers together paid more than was billed, and gave no reason that adds to the charge."""
    claims = [each for each in charge.claims if each.frequency != "8"]
    billed = max((each.total for each in claims), default=NOTHING)
    paid = sum((each.paid for each in claims), NOTHING)
    adds = any(each.adjusted + each.refused < 0 for claim in claims for each in claim.decided.values())
    if paid > billed and not adds:
        yield Break(
            "overpaid",
            f"charge {charge.id}",
            f"Payers paid {paid:.2f} for charge {charge.id}, of which {billed:.2f} was billed.",
            "Find out who paid too much, and return it before it is asked back.",
        )
