"""The chain that proves when a claim was filed: from the charge to the payer's number, each link with its date and hash.

Payers ask for it when they deny a claim as late. Every link is read from what was stored when it happened: the events of the
charge and of the file, the file's bytes, the replies. The whole is tested before it is shown: the bytes must have the hash
that was stored, the claim must stand in them, and the events must be an unbroken chain.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, defer

from charges import lifecycle
from charges.db import Database
from charges.errors import Refused
from charges.keyring import Keyring
from charges.tables import (
    AnswerRow,
    ChargeRow,
    ClaimFileRow,
    ClaimRow,
    EventRow,
    FileStatus,
    PaymentRow,
    PracticeRow,
    ResponseRow,
)
from charges.x12.scanner import scan

_LEFT = (FileStatus.SENT, FileStatus.ACCEPTED, FileStatus.PARTLY_ACCEPTED, FileStatus.REJECTED)
_WANTED = ("TA1", "999", "277CA")


@dataclass(frozen=True, slots=True)
class Link:
    """One thing that happened. ``sha256`` is that of the reply's or file's bytes, or of the event."""

    what: str
    at: datetime
    says: str
    sha256: str = ""

    def as_json(self) -> dict[str, object]:
        """For machines."""
        return {"what": self.what, "at": self.at, "says": self.says, "sha256": self.sha256}


@dataclass(frozen=True, slots=True)
class Proof:
    """The links in the order of time, what is missing of a whole chain, and what does not hold.

    ``is_whole`` is false when anything stored was changed afterwards: then the chain proves nothing.
    """

    claim: str
    charge: int
    practice: str
    file: str
    numbers: dict[str, str]
    payer_claim_number: str = field(repr=False)
    links: tuple[Link, ...]
    missing: tuple[str, ...]
    broken: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        """Whether nothing of it was changed after it was stored."""
        return not self.broken

    @property
    def is_complete(self) -> bool:
        """Whether it is whole and no link is missing."""
        return self.is_whole and not self.missing

    def as_json(self) -> dict[str, object]:
        """For machines."""
        return {
            "claim": self.claim,
            "charge": self.charge,
            "practice": self.practice,
            "file": self.file,
            **self.numbers,
            "payer_claim_number": self.payer_claim_number,
            "links": [each.as_json() for each in self.links],
            "missing": list(self.missing),
            "broken": list(self.broken),
            "whole": self.is_whole,
        }


def prove(database: Database, number: str) -> Proof:
    """The chain of a claim, by its CLM01; raises Refused when no claim has that number."""
    with database.transaction() as session:
        claim = session.scalar(select(ClaimRow).where(ClaimRow.number == number.strip()))
        if claim is None:
            raise Refused(f"There is no claim {number}. `charges review show` lists the claims of a charge.")
        return _Chain(session, database.keyring, claim).proof()


class _Chain:
    """The rows of one claim's chain."""

    def __init__(self, session: Session, keyring: Keyring, claim: ClaimRow) -> None:
        self.session, self.keyring, self.claim = session, keyring, claim
        self.charge = session.get_one(ChargeRow, claim.charge_id)
        self.file = session.get_one(ClaimFileRow, claim.claim_file_id)
        self.content = self.file.unseal(keyring, "content")

    def proof(self) -> Proof:
        links = sorted([*self._of_charge(), *self._of_file(), *self._replies(), *self._payments()], key=lambda e: e.at)
        found = self._place()
        return Proof(
            claim=self.claim.number,
            charge=self.charge.id,
            practice=self.session.get_one(PracticeRow, self.charge.practice_id).code,
            file=self.file.name,
            numbers={
                **dict(zip(("ISA13", "GS06", "ST02"), found or ("", "", ""), strict=True)),
                "CLM01": self.claim.number,
                "sha256": self.file.sha256,
                "frequency": self.claim.frequency,
            },
            payer_claim_number=self.claim.unseal(self.keyring, "answer").decode(),
            links=tuple(links),
            missing=tuple(self._missing(links)),
            broken=tuple(self._broken(found)),
        )

    def _events(self, subject: str, subject_id: int) -> Sequence[EventRow]:
        return self.session.scalars(
            select(EventRow)
            .where(EventRow.subject == subject, EventRow.subject_id == subject_id)
            .order_by(EventRow.sequence)
        ).all()

    def _of_charge(self) -> Iterator[Link]:
        """The charge until this claim was built: captured, changed, judged, decided about, claimed."""
        for event in self._events("charge", self.charge.id):
            yield Link(f"charge {event.what}", event.at, f"by {event.actor}; {event.became} then", event.digest)
            if event.what == "claimed" and event.at == self.file.built_at:
                return

    def _of_file(self) -> Iterator[Link]:
        yield Link(
            "claim built",
            self.file.built_at,
            f"claim {self.claim.number} in {self.file.name}, {self.file.size} bytes",
            self.file.sha256,
        )
        for event in self._events("file", self.file.id):
            yield Link(f"file {event.what}", event.at, f"by {event.actor}; {event.became} then", event.digest)

    def _replies(self) -> Iterator[Link]:
        rows = self.session.execute(
            select(AnswerRow, ResponseRow)
            .join(ResponseRow, ResponseRow.id == AnswerRow.response_id)
            .where(
                AnswerRow.claim_file_id == self.file.id,
                AnswerRow.claim_id.is_(None) | (AnswerRow.claim_id == self.claim.id),
            )
            .order_by(AnswerRow.id)
            .options(defer(ResponseRow.content))
        )
        for answer, response in rows:
            about = "of the claim" if answer.claim_id else "of the file"
            codes = f" ({answer.codes})" if answer.codes else ""
            number = f", ISA13 {answer.control_number} written {answer.written}" if answer.control_number else ""
            yield Link(
                answer.kind,
                response.received_at,
                f"{about}: {answer.outcome}{codes}; {response.name}{number}",
                response.sha256,
            )

    def _payments(self) -> Iterator[Link]:
        rows = self.session.execute(
            select(PaymentRow, ResponseRow)
            .join(ResponseRow, ResponseRow.id == PaymentRow.response_id)
            .where(PaymentRow.claim_id == self.claim.id)
            .order_by(PaymentRow.id)
            .options(defer(ResponseRow.content))
        )
        for payment, response in rows:
            day = f" of {payment.paid_on}" if payment.paid_on else ""
            said = f"{payment.decision} by payment {payment.trace}{day}; {response.name}"
            yield Link("835", response.received_at, said, response.sha256)

    def _place(self) -> tuple[str, str, str] | None:
        """ISA13, GS06 and ST02 of the claim as they stand in the bytes that were stored."""
        numbers = {"ISA": "", "GS": "", "ST": ""}
        for e, _ in scan(self.content):
            if e[0] in numbers:
                numbers[e[0]] = e[{"ISA": 13, "GS": 6, "ST": 2}[e[0]]].strip()
            elif e[0] == "CLM" and e[1] == self.claim.number:
                return numbers["ISA"], numbers["GS"], numbers["ST"]
        return None

    def _missing(self, links: Sequence[Link]) -> Iterator[str]:
        if self.file.status is FileStatus.SHADOW:
            yield "The claim was built for comparison and never sent."
            return
        if self.file.status is FileStatus.WITHDRAWN:
            yield "The claim was withdrawn before it was sent."
            return
        if self.file.status not in _LEFT:
            yield f"The file is {self.file.status}: it is not certain that it was sent."
        kinds = {link.what for link in links}
        for kind in _WANTED:
            if kind not in kinds and not (kind == "999" and "997" in kinds):
                yield f"No {kind} about it has come."
        if self.claim.answer is None:
            yield "The payer has given no number for the claim."

    def _broken(self, place: tuple[str, str, str] | None) -> Iterator[str]:
        if hashlib.sha256(self.content).hexdigest() != self.file.sha256:
            yield "The file's bytes are not those that were stored."
        if place is None:
            yield f"Claim {self.claim.number} does not stand in the file."
        elif int(place[0]) != self.file.control_number:
            yield "The file's control number is not the one that was stored."
        answered = select(AnswerRow.response_id).where(AnswerRow.claim_file_id == self.file.id)
        paid = select(PaymentRow.response_id).where(PaymentRow.claim_id == self.claim.id)
        for response in self.session.scalars(
            select(ResponseRow).where(ResponseRow.id.in_(answered) | ResponseRow.id.in_(paid)).order_by(ResponseRow.id)
        ):
            if hashlib.sha256(response.unseal(self.keyring, "content")).hexdigest() != response.sha256:
                yield f"The bytes of reply {response.id} are not those that came."
        for name, row in (("charge", self.charge), ("file", self.file)):
            if not lifecycle.is_unbroken(self.session, self.keyring, row):
                yield f"The events of {name} {row.id} were changed after they were written."
