"""Stage 6, sent to accepted or back to review: what the vendor and the payer answer.

A reply is stored by its hash before anybody reads it, so it counts once however often it comes. A claim that is refused
is no longer live, and its charge goes back before a person with the payer's words as findings. Replies come in any order:
what contradicts an earlier one never sends a claim again by itself, a person decides. A remittance that does not add up is
kept and named, and nothing of it is carried out.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, exists, insert, or_, select
from sqlalchemy.orm import Session, defer

from charges import documents, lifecycle
from charges.amending import differences
from charges.clearinghouses import Clearinghouse, Reply
from charges.db import Database
from charges.desk import worklist
from charges.errors import Refused, Unreadable
from charges.model import Finding
from charges.parts import parts
from charges.replies import posting, refusals, reports, unmatched
from charges.tables import (
    NEVER_SENT,
    AnswerRow,
    ChargeRow,
    ChargeStatus,
    ClaimFileRow,
    ClaimRow,
    EventRow,
    FileStatus,
    Origin,
    RemittanceRow,
    ResponseRow,
    UnmatchedStatus,
)
from charges.x12 import responses
from charges.x12.remittance import ClaimPayment, Decision, Remittance
from charges.x12.responses import Addressee, ClaimAnswer, FileAnswer, Outcome

ACTOR = "acknowledgements"
_STORED, _READ, _REPORT = "stored", "read", "report"
_UNREADABLE, _UNBALANCED = "unreadable", "unbalanced"
_WAS_OUT = and_(
    ClaimFileRow.status.not_in(NEVER_SENT),
    or_(
        ClaimFileRow.status != FileStatus.BUILT,
        exists().where(
            EventRow.subject == "file",
            EventRow.subject_id == ClaimFileRow.id,
            EventRow.became == FileStatus.SENDING.value,
        ),
    ),
)
"""Of files that somebody outside may have; one that waits to be sent again has been there."""


@dataclass(frozen=True, slots=True)
class Collected:
    """New replies, the claims they accepted and refused, and the replies that nobody could read or that do not add up."""

    replies: int = 0
    accepted: int = 0
    refused: int = 0
    unreadable: int = 0


def collect(
    database: Database, practice_id: int, clearinghouse: Clearinghouse, clock: Callable[[], datetime]
) -> Collected:
    """Store the replies that are there, then read those that were never read."""
    with database.alone_at(f"replies {practice_id}") as is_mine:
        if not is_mine:
            return Collected()
        new = sum(_store(database, practice_id, reply, clock()) for reply in clearinghouse.collect())
        accepted = refused = unreadable = 0
        for response_id in _unread(database, practice_id):
            with database.transaction() as session:
                response = session.get_one(ResponseRow, response_id, with_for_update=True)
                reading = _Reading(session, database, practice_id, response, clock())
                reading.read()
            accepted += reading.accepted
            refused += reading.refused
            unreadable += response.state in (_UNREADABLE, _UNBALANCED)
    return Collected(new, accepted, refused, unreadable)


def _store(database: Database, practice_id: int, reply: Reply, now: datetime) -> bool:
    """Keep a reply unless it is known; returns whether it is new."""
    digest = hashlib.sha256(reply.content).hexdigest()
    with database.transaction() as session:
        known = session.scalar(
            select(ResponseRow.id).where(ResponseRow.practice_id == practice_id, ResponseRow.sha256 == digest)
        )
        if known is not None:
            return False
        response = ResponseRow(
            practice_id=practice_id, sha256=digest, name=reply.name[:200], state=_STORED, outcome="", received_at=now
        )
        response.seal(database.keyring, content=reply.content)
        session.add(response)
    return True


def _unread(database: Database, practice_id: int) -> Sequence[int]:
    with database.transaction() as session:
        return session.scalars(
            select(ResponseRow.id)
            .where(ResponseRow.practice_id == practice_id, ResponseRow.state == _STORED)
            .order_by(ResponseRow.id)
        ).all()


def match(
    database: Database, number: int, claim_number: str, *, by: str, reason: str, clock: Callable[[], datetime]
) -> None:
    """A person says which claim an unmatched payment is about; it is posted there as if the payer had named that claim.

    Raises Refused where no such claim went out, the payment is of more than the claim, or it was posted there before.
    """
    with database.transaction() as session:
        row = unmatched.locked(session, number, UnmatchedStatus.MATCHED, by, reason)
        kept = session.get_one(RemittanceRow, row.remittance_id)
        response = session.get_one(ResponseRow, kept.response_id, with_for_update=True)
        answers = responses.read(response.unseal(database.keyring, "content"))
        of_reply = select(RemittanceRow.id).where(RemittanceRow.response_id == response.id).order_by(RemittanceRow.id)
        remittances = [answer for answer in answers if isinstance(answer, Remittance)]
        remittance = remittances[session.scalars(of_reply).all().index(kept.id)]
        payment = remittance.claims[row.place - 1]
        reading = _Reading(session, database, kept.practice_id, response, clock())
        claim, file = reading.claims([claim_number]).get(claim_number, (None, None))
        if claim is None or file is None or not file.scope.endswith(f":{remittance.to.usage}"):
            raise Refused(
                f"No claim {claim_number} went out from here for this practice. See `charges review show CHARGE`."
            )
        if abs(payment.charged) > claim.total:
            raise Refused(
                f"The payer decided {abs(payment.charged):.2f}, which is more than claim {claim_number} with "
                f"{claim.total:.2f}; so it is about another one."
            )
        if not reading.post([posting.Entry(claim, remittance, payment)], {id(remittance): kept.id}):
            raise Refused(
                f"Payment {kept.trace} was posted to claim {claim_number} before. If this is a copy of it, settle it."
            )
        why = f"To claim {claim_number}: {reason}"
        lifecycle.move(
            session, [row], UnmatchedStatus.MATCHED, lifecycle.Deed("matched", by, clock(), database.keyring, why)
        )


class _Reading:
    """Reads one stored reply within one transaction."""

    def __init__(
        self, session: Session, database: Database, practice_id: int, response: ResponseRow, now: datetime
    ) -> None:
        self.session, self.database, self.practice_id, self.response, self.now = (
            session,
            database,
            practice_id,
            response,
            now,
        )
        self.accepted = self.refused = self.unknown = 0
        self.answers: list[dict[str, object]] = []

    def read(self) -> None:
        """Carry out what the reply says, note the outcome and link it with the files and claims it speaks of."""
        self._read()
        if self.answers:
            self.session.execute(insert(AnswerRow), self.answers)

    def _read(self) -> None:
        content = self.response.unseal(self.database.keyring, "content")
        if reports.is_report(self.response.name, content):
            self._of_report(content)
            return
        try:
            answers = responses.read(content)
        except Unreadable as fault:
            self.response.state, self.response.outcome = _UNREADABLE, str(fault)
            return
        remittances = [answer for answer in answers if isinstance(answer, Remittance)]
        if faults := posting.faults(remittances):
            self.response.state, self.response.outcome = _UNBALANCED, faults
            return
        for answer in answers:
            if isinstance(answer, FileAnswer):
                self._of_file(answer)
        self._of_claims([answer for answer in answers if isinstance(answer, ClaimAnswer)])
        posted = self._of_remittances(remittances) if remittances else ""
        said = (
            f"{self.accepted} claims accepted, {self.refused} refused, {self.unknown} answers about nothing sent here"
        )
        self.response.state = _READ
        self.response.outcome = posted if len(remittances) == len(answers) else "; ".join(filter(None, (said, posted)))

    def _of_report(self, content: bytes) -> None:
        """Attach a text report to the files it names."""
        query = select(ClaimFileRow).where(ClaimFileRow.practice_id == self.practice_id, _WAS_OUT)
        files = self.session.scalars(query.order_by(ClaimFileRow.id).options(defer(ClaimFileRow.content))).all()
        found = reports.named(self.response.name, content, files)
        for file in found:
            self._answered("report", "shown", file.id)
        lifecycle.note(self.session, found, self._deed("report came"))
        about = f"file {', '.join(str(file.id) for file in found)}" if found else "no file that was sent from here"
        self.response.state = _REPORT
        self.response.outcome = (
            f"A report in words, which decides nothing; it names {about}. "
            f"Read it with `charges files reply {self.response.id}`."
        )

    def _answered(
        self,
        kind: str,
        outcome: str,
        file_id: int,
        claim_id: int | None = None,
        codes: Sequence[str] = (),
        to: Addressee | None = None,
    ) -> None:
        """Link the reply with what it speaks of; ``read`` stores all links at once."""
        link: dict[str, object] = {"response_id": self.response.id, "claim_file_id": file_id, "claim_id": claim_id}
        said = {"kind": kind, "outcome": str(outcome), "codes": ", ".join(codes)[:200]}
        own = {"control_number": to.control_number[:9] if to else "", "written": to.written[:12] if to else ""}
        self.answers.append(link | said | own)

    def _of_file(self, answer: FileAnswer) -> None:
        file = self._file(answer)
        if file is None:
            self.unknown += 1
            return
        self._answered(answer.kind, answer.outcome, file.id, to=answer.to)
        self._received(file, answer.kind)
        why = refusals.told(answer.errors)
        # Who answered by a 999 had taken the interchange, so a TA1 that refuses it is about another copy.
        is_late = answer.kind == "TA1" and file.status in (FileStatus.ACCEPTED, FileStatus.PARTLY_ACCEPTED)
        # Of a file that was sent again the vendor has the first copy, and what it says of that one counts.
        is_second = answer.is_duplicate and self._was_sent_again(file)
        if answer.outcome is Outcome.PENDING or is_late or is_second:
            lifecycle.note(self.session, [file], self._deed(f"{answer.kind} {answer.outcome}", why))
            return
        if answer.outcome is Outcome.ACCEPTED:
            self._move_file(file, FileStatus.ACCEPTED, self._deed(f"{answer.kind} accepted", why))
            return
        refused = responses.refused_claims(answer, file.unseal(self.database.keyring, "content"))
        if answer.transactions and not refused:
            self.unknown += 1
            return
        whole = len(refused) == file.claim_count
        to = FileStatus.REJECTED if whole else FileStatus.PARTLY_ACCEPTED
        self._move_file(file, to, self._deed(f"{answer.kind} refused", why))
        claims = [claim for claim, _ in self.claims(refused).values() if claim.live and not claim.accepted]
        self._refuse({claim: refusals.of_file(answer, claim.number, refused[claim.number]) for claim in claims})

    def _file(self, answer: FileAnswer) -> ClaimFileRow | None:
        files = self.session.scalars(
            select(ClaimFileRow)
            .where(
                ClaimFileRow.practice_id == self.practice_id,
                ClaimFileRow.control_number == answer.control_number,
                _WAS_OUT,
            )
            .order_by(ClaimFileRow.id.desc())
            .with_for_update()
        )
        return next((file for file in files if _is_from(file.scope, answer.to)), None)

    def _was_sent_again(self, file: ClaimFileRow) -> bool:
        """Whether a person had a file sent that was sent, or may have been, before."""
        again = and_(EventRow.became == FileStatus.BUILT.value, EventRow.was != FileStatus.BUILT.value)
        wanted = select(EventRow.id).where(EventRow.subject == "file", EventRow.subject_id == file.id, again)
        return self.session.scalar(wanted.limit(1)) is not None

    def _received(self, file: ClaimFileRow, kind: str) -> None:
        if file.status in (FileStatus.BUILT, FileStatus.SENDING, FileStatus.UNCERTAIN):
            lifecycle.move(self.session, [file], FileStatus.SENT, self._deed(f"{kind} proves receipt"))

    def _move_file(self, file: ClaimFileRow, to: FileStatus, deed: lifecycle.Deed) -> None:
        if to in lifecycle.FILE_MOVES[file.status]:
            lifecycle.move(self.session, [file], to, deed)
        else:
            lifecycle.note(self.session, [file], deed)

    def _of_claims(self, answers: Sequence[ClaimAnswer]) -> None:
        """Where one reply both accepts and refuses a claim, it is refused."""
        known = self.claims(answer.claim_number for answer in answers)
        superseded = differences.superseded(self.session, [claim for claim, _ in known.values()])
        accepted: dict[ClaimRow, ClaimAnswer] = {}
        refused: dict[ClaimRow, Finding] = {}
        contradicted: dict[ClaimRow, Finding] = {}
        for answer in answers:
            claim, file = known.get(answer.claim_number, (None, None))
            if claim is None or file is None or not _is_from(file.scope, answer.to):
                self.unknown += 1
                continue
            self._received(file, "277CA")
            self._answered("277CA", answer.outcome, file.id, claim.id, answer.codes, answer.to)
            if claim.id in superseded:
                continue  # another claim took its place, so what is said of this one decides nothing
            if answer.outcome is Outcome.REJECTED and claim.live:
                refused[claim] = refusals.of_claim(answer)
            elif answer.outcome is Outcome.ACCEPTED and claim.live:
                accepted[claim] = answer
            elif answer.outcome is Outcome.ACCEPTED:
                contradicted[claim] = refusals.contradiction(answer)
        self._accept({claim: answer.payer_claim_number for claim, answer in accepted.items() if claim not in refused})
        self._refuse(refused)
        self._hold({claim: [finding] for claim, finding in contradicted.items()}, "accepted when refused")

    def _of_remittances(self, remittances: Sequence[Remittance]) -> str:
        """Post the payments; whatever a payer decided about a claim proves that it has it."""
        known = self.claims(payment.number for each in remittances for payment in each.claims)
        entries: list[posting.Entry] = []
        strangers = 0
        for remittance in remittances:
            for payment in remittance.claims:
                claim, file = known.get(payment.number, (None, None))
                if claim is None or file is None or not _is_paid_by(remittance, payment, claim, file):
                    strangers += 1
                    continue
                self._received(file, "835")
                entries.append(posting.Entry(claim, remittance, payment))
        rows = posting.keep(self.session, self.practice_id, self.response, remittances, entries, self.now)
        new = self.post(entries, rows)
        return posting.counted(new, unmatched=strangers, repeated=len(entries) - len(new), remittances=remittances)

    def post(self, entries: Sequence[posting.Entry], rows: Mapping[int, int]) -> Sequence[posting.Entry]:
        """Post decisions and do what they ask; returns the new ones. ``rows`` as ``posting.keep`` gives them."""
        new = posting.post(self.session, self.database.keyring, self.response, entries, self.now, rows)
        charges = self._charges({entry.claim for entry in new})
        lifecycle.note_each(
            self.session,
            [(charges[entry.claim.charge_id], self._deed(str(entry.decision), entry.sentence)) for entry in new],
        )
        decided = [entry for entry in new if entry.decision is not Decision.UNDECIDED and entry.claim.live]
        self._accept({entry.claim: entry.payment.payer_claim_number for entry in decided})
        superseded = differences.superseded(self.session, {entry.claim for entry in new})
        self._hold(posting.findings([entry for entry in new if entry.claim.id not in superseded]), "back to review")
        return new

    def claims(self, numbers: Iterable[str]) -> Mapping[str, tuple[ClaimRow, ClaimFileRow]]:
        """Those claims of the practice that went out, each with its file."""
        found: dict[str, tuple[ClaimRow, ClaimFileRow]] = {}
        for wanted in parts(numbers):
            rows = self.session.execute(
                select(ClaimRow, ClaimFileRow)
                .join(ClaimFileRow, ClaimFileRow.id == ClaimRow.claim_file_id)
                .where(
                    ClaimRow.number.in_(wanted),
                    ClaimFileRow.practice_id == self.practice_id,
                    _WAS_OUT,
                )
                .options(defer(ClaimRow.answer), defer(ClaimFileRow.content))
            )
            found.update((claim.number, (claim, file)) for claim, file in rows)
        return found

    def _charges(self, claims: Iterable[ClaimRow]) -> Mapping[int, ChargeRow]:
        """The charges of claims, locked, by their ids."""
        found: dict[int, ChargeRow] = {}
        for wanted in parts(sorted(claim.charge_id for claim in claims)):
            rows = self.session.scalars(
                select(ChargeRow).where(ChargeRow.id.in_(wanted)).order_by(ChargeRow.id).with_for_update()
            )
            found.update((row.id, row) for row in rows)
        return found

    def _accept(self, numbers: Mapping[ClaimRow, str]) -> None:
        """Claims that the payer has, each with the number it gave."""
        for claim, payer_claim_number in numbers.items():
            if payer_claim_number:
                claim.seal(self.database.keyring, answer=payer_claim_number.encode())
        new = [claim for claim in numbers if not claim.accepted]
        for claim in new:
            claim.accepted = True
        self.accepted += len(new)
        voids = [claim for claim in new if claim.frequency == "8"]
        charges = self._charges(new)
        taken = {charges[claim.charge_id] for claim in voids}
        self._move(
            [row for row in charges.values() if row not in taken], ChargeStatus.ACCEPTED, "accepted by the payer"
        )
        self._taken_back(voids, charges)

    def _taken_back(self, voids: Sequence[ClaimRow], charges: Mapping[int, ChargeRow]) -> None:
        """The payer took voids, so nothing stands there: the charge is void, or is judged anew where it is billed again.

        Where a claim to another payer stands, the charge stays with that one; ``after_billing`` asks what becomes of it.
        """
        for void in voids:
            void.live = False
        self.session.flush()
        anew = differences.bill_anew(self.session, voids)
        rows = [charges[void.charge_id] for void in voids]
        elsewhere = differences.standing_elsewhere(self.session, rows)
        staying = [row for row in rows if row.id in elsewhere and row.status is not ChargeStatus.HELD]
        for row in staying:
            self._move([row], differences.standing_status(self.session, row), "void taken")
        rows = [row for row in rows if row not in staying]
        held = [
            row for row in rows if row.status is ChargeStatus.HELD
        ]  # it changed again; ``after_billing`` takes it up
        lifecycle.note(self.session, held, self._deed("void taken"))
        rows = [row for row in rows if row not in held]
        lifecycle.move(self.session, rows, ChargeStatus.VOID, self._deed("void taken"))
        again = [row for row in rows if row.id in anew]
        read = documents.read(self.session, self.database.keyring, again)
        again = [row for row in again if not read[row].voided]
        lifecycle.move(self.session, again, ChargeStatus.CAPTURED, self._deed("to be billed anew"))

    def _refuse(self, findings: Mapping[ClaimRow, Finding]) -> None:
        for claim in findings:
            claim.live = claim.accepted = False
            if claim.payer_rank > 1:  # when a person lets it go again, what the payer before decided is looked at anew
                posting.consider_next(self.session, claim)
        self.refused += len(findings)
        standing = differences.stand_again(self.session, findings)
        self._hold(
            {
                claim: [
                    refusals.of_amendment(finding, claim.frequency, standing[claim.id])
                    if claim.id in standing
                    else finding
                ]
                for claim, finding in findings.items()
            },
            "refused",
        )

    def _hold(self, findings: Mapping[ClaimRow, Sequence[Finding]], what: str) -> None:
        for claims in parts(findings):
            rows = self._charges(claims)
            said: dict[ChargeRow, list[Finding]] = {}
            for claim in claims:
                said.setdefault(rows[claim.charge_id], []).extend(findings[claim])
            worklist.put(self.session, self.database.keyring, said, origin=Origin.ANSWER, now=self.now)
            self._move(said, ChargeStatus.HELD, what)

    def _move(self, rows: Iterable[ChargeRow], to: ChargeStatus, what: str) -> None:
        """Move the charges that may be moved; of the others it is written down."""
        moved: list[ChargeRow] = []
        noted: list[ChargeRow] = []
        for row in rows:
            # A held charge whose claim is accepted stays held: only a person ends what holds it.
            may = to in lifecycle.MOVES[row.status] and row.status is not ChargeStatus.HELD
            (moved if may else noted).append(row)
        lifecycle.move(self.session, moved, to, self._deed(what))
        lifecycle.note(self.session, noted, self._deed(what))

    def _deed(self, what: str, why: str = "") -> lifecycle.Deed:
        return lifecycle.Deed(what, ACTOR, self.now, self.database.keyring, why)


def _is_from(scope: str, to: Addressee) -> bool:
    """Whether an answer is written to the sender of a control number's scope, as ``claims.control_scope`` names it."""
    sender, _, rest = scope.partition(">")
    return sender in to.names and rest.endswith(f":{to.usage}")


def _is_paid_by(remittance: Remittance, payment: ClaimPayment, claim: ClaimRow, file: ClaimFileRow) -> bool:
    """Whether a payment is about a claim that has its number.

    Payers send remittances under other names of the practice than claims are sent under; then the charge must be the same.
    """
    is_same_usage = file.scope.endswith(f":{remittance.to.usage}")
    return is_same_usage and (_is_from(file.scope, remittance.to) or abs(payment.charged) == claim.total)
