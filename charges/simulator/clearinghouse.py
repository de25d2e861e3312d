"""A stand-in for a clearinghouse: takes claim files out of a folder and puts what comes back into another.

It refuses some interchanges, groups, transaction sets, receivers, providers, claims and lines, lets the payers decide about
the rest (``payers``), and answers late, twice, several answers in one interchange, or never. Everything follows from a seed
and from the numbers of what it takes. What it took how often and what it told is kept, so that a test can compare.

No file is passed on twice: an interchange whose number was taken before is answered with a TA1 that says so.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from random import Random

from charges.errors import Unreadable
from charges.model import Claim
from charges.simulator.payers import OFFICE, Decides, Payers
from charges.simulator.postbox import Mail, Postbox, Told
from charges.x12 import acknowledge, check, claim_acknowledgment, reader, remittance_writing
from charges.x12.answers import Addressee
from charges.x12.claim_acknowledgment import Acknowledged, ClaimStatus, LineStatus, ProviderStatus, Status
from charges.x12.oracle import Fault, Opinion
from charges.x12.remittance import ClaimPayment
from charges.x12.scanner import Segment, scan
from charges.x12.segments import segment

_UNFINISHED = (".part", ".tmp", ".filepart", ".partial")


class Fate(StrEnum):
    """How far a claim came."""

    INTERCHANGE = "refused with its interchange"
    GROUP = "refused with its functional group"
    TRANSACTION = "refused with its transaction set"
    RECEIVER = "refused with all claims of the receiver"
    PROVIDER = "refused with all claims of its provider"
    CLAIM = "refused"
    LINE = "refused for one of its lines"
    TAKEN = "taken by the payer"


@dataclass(frozen=True, slots=True)
class Habits:
    """How the clearinghouse behaves: shares of 1 of the files, of their transaction sets, of claims, and of replies."""

    interchange_refused: float = 0.04
    group_refused: float = 0.04
    transaction_refused: float = 0.05
    receiver_refused: float = 0.03
    provider_refused: float = 0.03
    claim_refused: float = 0.04
    line_refused: float = 0.02
    decides_within: timedelta = timedelta(days=12)
    decides: Decides = field(default_factory=Decides)
    mail: Mail = field(default_factory=Mail)
    strangers: float = 0
    """Of the remittances: those that pay a claim of another sender too."""


@dataclass(slots=True)
class ClaimTruth:
    """A claim as it was taken: its file, what became of it, and what was told. ``times`` counts how often a payer got it."""

    claim: Claim = field(repr=False)
    file: int
    fate: Fate
    times: int = 0
    told: list[Told] = field(default_factory=list)


@dataclass(slots=True)
class FileTruth:
    """An interchange by its control number: its envelope, and the digests of what came under it, in order."""

    name: str
    isa: Segment = field(repr=False)
    gs: Segment = field(repr=False)
    digests: list[str] = field(default_factory=list)
    transactions: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Sent:
    """A transaction set as it was sent: each claim, and where its diagnoses stand in the file and in the set."""

    number: str
    first: int
    reference: str = ""
    claims: list[Claim] = field(default_factory=list)
    diagnoses: list[tuple[int, int]] = field(default_factory=list)


class SimulatedClearinghouse:
    """The folders of one clearinghouse, seen from the practice: it takes from ``outbound`` and puts into ``inbound``."""

    def __init__(self, outbound: Path, inbound: Path, seed: int, habits: Habits | None = None) -> None:
        self.outbound, self.seed, self.habits = outbound, seed, habits or Habits()
        self.payers = Payers(seed, self.habits.decides)
        self.claims: dict[str, ClaimTruth] = {}
        self.files: dict[int, FileTruth] = {}
        self.postbox = Postbox(inbound, seed, self.habits.mail)
        self._paid_on: date | None = None
        self._decisions: list[tuple[datetime, str, Callable[[str], Sequence[ClaimPayment]]]] = []

    def work(self, now: datetime) -> int:
        """Take what lies there, decide what is due, put out the replies that are due; returns how many files were taken."""
        taken = 0
        self.outbound.mkdir(parents=True, exist_ok=True)
        for path in sorted(self.outbound.iterdir()):
            if path.is_file() and not path.name.startswith(".") and not path.name.endswith(_UNFINISHED):
                content = path.read_bytes()
                path.unlink()
                self._take(path.name, content, now)
                taken += 1
        self._decide(now)
        for number, told in self.postbox.put_out(now):
            self.claims[number].told.append(told)
        return taken

    @property
    def is_idle(self) -> bool:
        """Whether nothing is to be decided or answered any more."""
        return not self._decisions and self.postbox.is_empty

    def has(self, control_number: int) -> bool:
        """Whether an interchange came: what a person is told who asks by telephone."""
        return control_number in self.files

    def truth(self) -> list[dict[str, object]]:
        """Every claim with what became of it, for machines."""
        return [
            {
                "claim": number,
                "file": truth.file,
                "fate": str(truth.fate),
                "times": truth.times,
                "told": [f"{each.kind} {_says(each)}" for each in truth.told],
            }
            for number, truth in self.claims.items()
        ]

    # What comes in

    def _take(self, name: str, content: bytes, now: datetime) -> None:
        try:
            isa, gs, sent = _outline(content)
        except Unreadable:
            return  # nobody can be answered
        control_number = int(isa[13])
        known = self.files.setdefault(control_number, FileTruth(name, isa, gs))
        known.digests.append(hashlib.sha256(content).hexdigest())
        if len(known.digests) > 1:
            self._say_of_interchange(isa, gs, "025", now, ())
            return
        known.transactions += [each.number for each in sent]
        fate, opinion = self._fate_of_file(control_number, content, sent)
        numbers = [claim.number for each in sent for claim in each.claims]
        if fate is Fate.INTERCHANGE:
            self._keep(control_number, sent, fate)
            self._say_of_interchange(isa, gs, "006", now, numbers)
            return
        if isa[14] == "1":
            self._say_of_interchange(isa, gs, "", now, ())
        refused = {fault.transaction for fault in opinion.faults}
        tells = []
        for each in sent:
            is_refused = fate is Fate.GROUP or each.number in refused
            told = Told("999", refuses=is_refused)
            tells += [(claim.number, told) for claim in each.claims]
            if is_refused:
                self._keep(control_number, [each], Fate.GROUP if fate is Fate.GROUP else Fate.TRANSACTION)
        self.postbox.add(f"999 {control_number}", now, isa, gs, acknowledge.functional_group(content, opinion), tells)
        for each in sent:
            if fate is not Fate.GROUP and each.number not in refused:
                self._acknowledge(control_number, each, isa, gs, now)

    def _fate_of_file(self, control_number: int, content: bytes, sent: Sequence[_Sent]) -> tuple[Fate, Opinion]:
        """What becomes of the file as a whole, and the faults that its 999 names: those that it has, or invented ones."""
        opinion = check.opinion(content)
        habits, dice = self.habits, self._chance("file", control_number).random()
        if not opinion.valid:
            return Fate.TAKEN, opinion
        if dice < habits.interchange_refused:
            return Fate.INTERCHANGE, opinion
        if dice < habits.interchange_refused + habits.group_refused:
            opinion.faults.append(Fault("group", "1", "", position=2))
            return Fate.GROUP, opinion
        for each in sent:
            chance = self._chance("transaction", f"{control_number} {each.number}")
            if chance.random() < habits.transaction_refused and each.claims:
                place = chance.randrange(len(each.claims))
                opinion.faults.append(_at_first_diagnosis(each.claims[place], each, each.diagnoses[place]))
        return Fate.TAKEN, opinion

    def _keep(self, file: int, sent: Sequence[_Sent], fate: Fate) -> None:
        for each in sent:
            for claim in each.claims:
                self.claims[claim.number] = ClaimTruth(claim, file, fate)

    def _acknowledge(self, file: int, sent: _Sent, isa: Segment, gs: Segment, now: datetime) -> None:
        """Judge the claims of a transaction set that the 999 took, and say so in a 277CA."""
        by_provider: dict[tuple[str, str], list[Claim]] = {}
        for claim in sent.claims:
            provider = claim.charge.billing_provider
            assert provider is not None, "a claim is not read without its billing provider"
            by_provider.setdefault((provider.npi, provider.organization_name or provider.last_name), []).append(claim)
        chance = self._chance("receiver", f"{file} {sent.number}")
        tells: list[tuple[str, Told]] = []
        providers: list[ProviderStatus] = []
        is_refused = chance.random() < self.habits.receiver_refused
        for (npi, name), claims in by_provider.items():
            of_provider = Fate.RECEIVER if is_refused else None
            if of_provider is None and chance.random() < self.habits.provider_refused:
                of_provider = Fate.PROVIDER
            statuses = []
            for claim in claims:
                fate = of_provider or self._fate_of_claim(claim)
                self.claims[claim.number] = ClaimTruth(claim, file, fate)
                number = self._pass_on(claim, now) if fate is Fate.TAKEN else ""
                tells.append((claim.number, Told("277CA", fate is not Fate.TAKEN, None, number)))
                statuses.append(_claim_status(claim, fate, number))
            if of_provider is Fate.PROVIDER:
                providers.append(ProviderStatus(npi, name, status=Status("A7", "562", "85", "NOT ENROLLED")))
            elif of_provider is None:
                providers.append(ProviderStatus(npi, name, tuple(statuses)))
        said = Acknowledged(
            trace=sent.reference,
            payer=("SIMULATED CLEARINGHOUSE", isa[8].strip()),
            submitter=("SUBMITTER", isa[6].strip()),
            total=sum((claim.charge.total for claim in sent.claims), start=0 * sent.claims[0].charge.total),
            providers=tuple(providers),
            status=Status("A3", "24", "41") if is_refused else Status("A1", "19", "PR"),
        )
        group = claim_acknowledgment.functional_group([said], now)
        self.postbox.add(f"277CA {file} {sent.number}", now, isa, gs, group, tells)

    def _fate_of_claim(self, claim: Claim) -> Fate:
        if self.payers.refuses(claim):
            return Fate.CLAIM
        dice, habits = self._chance("claim", claim.number).random(), self.habits
        if dice < habits.claim_refused:
            return Fate.CLAIM
        return Fate.LINE if dice < habits.claim_refused + habits.line_refused else Fate.TAKEN

    def _pass_on(self, claim: Claim, now: datetime) -> str:
        """Give a claim to its payer; returns the number that the payer knows it by."""
        self.claims[claim.number].times += 1
        amended = self.payers.take(claim)
        chance, habits = self._chance("day", claim.number), self.habits
        if amended is not None:  # whatever was decided about it is taken back, and nothing new is
            number = amended.claim.number
            self._decisions = [each for each in self._decisions if each[1] != number]
            at = now + habits.decides_within * chance.uniform(0.1, 0.5)
            self._decisions.append((at, number, lambda number: self.payers.take_back(number, anew=False)))
        if claim.frequency != "8":
            first = now + habits.decides_within * chance.uniform(0.1, 1)
            self._decisions.append((first, claim.number, lambda number: [self.payers.decide(number)]))
        return self.payers.known[claim.number].payer_claim_number

    # What goes out

    def _decide(self, now: datetime) -> None:
        """Write remittances of what payers decided by now, one for each payer; they pay once a day."""
        if self._paid_on == now.date():
            return
        self._paid_on = now.date()
        due = [each for each in self._decisions if each[0] <= now]
        self._decisions = [each for each in self._decisions if each[0] > now]
        by_payer: dict[str, list[ClaimPayment]] = {}
        for _, number, decide in due:
            payments = decide(number)
            by_payer.setdefault(self.payers.payer_of(number), []).extend(payments)
            if len(payments) == 1 and self.payers.is_to_be_reversed(number):
                at = now + self.habits.decides_within * self._chance("reversal day", number).uniform(0.1, 0.5)
                self._decisions.append((at, number, lambda number: self.payers.take_back(number, anew=True)))
        for payments in filter(None, by_payer.values()):
            file = self.files[self.claims[payments[0].number].file]
            addressee = Addressee((file.isa[6].strip(),), file.isa[15])
            remittance = self.payers.remit(addressee, [*payments, *self._strangers(payments[0])], now.date())
            group = remittance_writing.functional_group([remittance], OFFICE)
            tells = [(each.number, Told("835", payment=each)) for each in payments]
            self.postbox.add(f"835 {remittance.trace}", now, file.isa, file.gs, group, tells)

    def _strangers(self, like: ClaimPayment) -> Sequence[ClaimPayment]:
        """The payment of a claim that another system sent, now and then."""
        number = f"OTHER{self.payers.remittances + 1:07d}"
        is_paid = self._chance("stranger", number).random() < self.habits.strangers
        return [replace(like, number=number)] if is_paid else []

    def _say_of_interchange(self, isa: Segment, gs: Segment, note: str, now: datetime, refused: Sequence[str]) -> None:
        """A TA1: taken where there is no note."""
        tells = [(number, Told("TA1", refuses=True)) for number in refused]
        said = segment("TA1", isa[13], isa[9], isa[10], "R" if note else "A", note or "000")
        self.postbox.add(f"TA1 {isa[13]} {note}", now, isa, gs, said, tells)

    def _chance(self, what: str, name: object) -> Random:
        return Random(f"{self.seed} {what} {name}")  # noqa: S311 - repeatable, and no secret


def _outline(content: bytes) -> tuple[Segment, Segment, Sequence[_Sent]]:
    """ISA, GS and the transaction sets of a file; raises Unreadable for what is no file of claims."""
    claims = reader.read(content)
    isa: Segment = []
    gs: Segment = []
    sent: list[_Sent] = []
    wants_diagnoses = False
    for position, (e, _) in enumerate(scan(content), 1):
        if e[0] == "ISA":
            isa = e
        elif e[0] == "GS":
            gs = e
        elif e[0] == "ST":
            sent.append(_Sent(e[2], position))
        elif e[0] == "BHT":
            sent[-1].reference = e[3]
        elif e[0] == "CLM":
            sent[-1].claims.append(next(claims))
            wants_diagnoses = True
        elif e[0] == "HI" and wants_diagnoses:
            sent[-1].diagnoses.append((position, position - sent[-1].first + 1))
            wants_diagnoses = False
    return isa, gs, sent


def _at_first_diagnosis(claim: Claim, transaction: _Sent, place: tuple[int, int]) -> Fault:
    """The fault of a diagnosis that the receiver does not know."""
    position, at_transaction = place
    return Fault(
        level="element",
        code="7",
        sentence="The first diagnosis is not known.",
        position=position,
        at_transaction=at_transaction,
        transaction=transaction.number,
        claim=claim.number,
        segment="HI",
        element="HI01-2",
        data_element="1271",
    )


def _claim_status(claim: Claim, fate: Fate, payer_claim_number: str) -> ClaimStatus:
    charge = claim.charge
    coverage = charge.coverages[0]
    line = charge.billed_lines[0]
    day = charge.service_date
    assert day is not None, "a claim that the guide takes has its date of service"
    status = {
        Fate.TAKEN: Status("A2", "20", "PR"),
        Fate.LINE: Status("A7", "454"),
    }.get(fate, Status("A7", "33", "IL", "SUBSCRIBER NOT FOUND"))
    of_line = LineStatus(line.code, line.charge or charge.total, line.service_date or day, Status("A7", "454"))
    return ClaimStatus(
        number=claim.number,
        patient=coverage.insured(charge.patient),
        member_id=coverage.member_id,
        total=charge.total,
        service_date=day,
        status=status,
        payer_claim_number=payer_claim_number,
        lines=(of_line,) if fate is Fate.LINE else (),
    )


def _says(told: Told) -> str:
    if told.payment is not None:
        return f"{told.payment.decision}, {told.payment.paid:.2f} paid"
    return "refused" if told.refuses else "taken"
