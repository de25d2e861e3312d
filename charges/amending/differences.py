"""Differences between charges and the claims that left, as the stages need them: rows in, rows out.

``after_billing`` finds them and takes the decisions; ``claims`` builds what was decided; ``acknowledgements`` hears whether
the payer took it. What stands at the payer is always the one ``live`` claim: when a claim that amends is refused, the one
before it stands again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from charges import parts
from charges.errors import Stale
from charges.keyring import Keyring
from charges.model import Charge, Claim, Coverage
from charges.practice.profile import Practice
from charges.tables import (
    Amendment,
    ChargeRow,
    ChargeStatus,
    ClaimFileRow,
    ClaimRow,
    DifferenceRow,
    DifferenceState,
    FileStatus,
    ItemState,
    ReviewItemRow,
)
from charges.x12 import parting, reader
from charges.x12.comparing import Change

RULE = "SRC-002"
"""The finding of a charge that changed or was voided at the source after its claim left."""
NUMBERLESS = (
    "The payer has given no number for it. Wait for its 277CA or 835, or give the number with --payer-number; a new first "
    "claim (--as-new) is right only when the payer does not have this one."
)
_NOT_SENT = (FileStatus.BUILT, FileStatus.SENDING, FileStatus.UNCERTAIN)
_IN_ITS_PLACE = (Amendment.REPLACE, Amendment.VOID)
"""What takes the place of a claim that the payer has."""


@dataclass(frozen=True, slots=True)
class Document:
    """What is sealed of a difference: the fields that differ, the payer's number of the claim, why nothing can be sent yet.

    ``proposal`` is what was proposed, whatever is decided.
    """

    changes: tuple[Change, ...] = field(default=(), repr=False)
    payer_claim_number: str = field(default="", repr=False)
    hindrance: str = ""
    proposal: Amendment = Amendment.NOTHING


_DOCUMENT: TypeAdapter[Document] = TypeAdapter(Document)


def seal(row: DifferenceRow, document: Document, keyring: Keyring) -> None:
    """Put the document into its row."""
    row.seal(keyring, document=_DOCUMENT.dump_json(document))


def document_of(row: DifferenceRow, keyring: Keyring) -> Document:
    """The document of a row."""
    return _DOCUMENT.validate_json(row.unseal(keyring, "document"))


def unresolved(session: Session, charge_id: int) -> DifferenceRow | None:
    """The difference of a charge that nobody settled yet, locked."""
    return session.scalar(
        select(DifferenceRow).where(DifferenceRow.charge_id == charge_id, DifferenceRow.unresolved).with_for_update()
    )


def resolve(row: DifferenceRow, state: DifferenceState, now: datetime) -> None:
    """End a difference."""
    row.state, row.unresolved, row.decided_at = state, False, now


def let_stand(session: Session, row: ChargeRow, now: datetime) -> None:
    """A person lets the claim stand though the charge says something else."""
    found = unresolved(session, row.id)
    if found is not None and found.version == row.version:
        resolve(found, DifferenceState.LEFT, now)


def hindrance(practice: Practice, file: ClaimFileRow, claim: ClaimRow, coverages: Sequence[Coverage]) -> str:
    """Why nothing can be sent now that amends a claim; nothing where something can."""
    asked = coverages[claim.payer_rank - 1 : claim.payer_rank]
    payer = asked[0].payer.payer_id if asked else ""
    known = next((each for each in practice.payers if each.payer_id == payer), None)
    if file.status in _NOT_SENT:
        return f"It stands in file {file.id}, which is not sent yet and goes out as it is; decide when it is out."
    if claim.frequency == "8":
        return "It is itself a void that the payer has not answered; once it is taken, the charge is judged anew."
    if known is not None and not known.takes_replacements:
        return "This payer takes neither replacements nor voids; have the claim reopened, then let it stand here."
    return ""


def standing_claim(session: Session, row: ChargeRow) -> ClaimRow | None:
    """The claim of a charge that stands at the first of the payers that were asked, locked."""
    return session.scalar(
        select(ClaimRow)
        .where(ClaimRow.charge_id == row.id, ClaimRow.live)
        .order_by(ClaimRow.payer_rank)
        .limit(1)
        .with_for_update()
    )


def standing_status(session: Session, row: ChargeRow) -> ChargeStatus:
    """Where a charge stands by its last claim that is out."""
    last = session.scalar(
        select(ClaimRow)
        .where(ClaimRow.charge_id == row.id, ClaimRow.live)
        .order_by(ClaimRow.payer_rank.desc())
        .limit(1)
    )
    assert last is not None, "no claim stands"
    return ChargeStatus.ACCEPTED if last.accepted else ChargeStatus.CLAIMED


def was_to_bill_anew(session: Session, row: ChargeRow) -> bool:
    """Whether a claim of a charge was taken back so that the charge is billed anew."""
    return (
        session.scalar(
            select(DifferenceRow.id)
            .where(
                DifferenceRow.charge_id == row.id, DifferenceRow.state == DifferenceState.SENT, DifferenceRow.bills_anew
            )
            .limit(1)
        )
        is not None
    )


def standing_elsewhere(session: Session, rows: Iterable[ChargeRow]) -> set[int]:
    """Those charges, by their ids, of which a claim stands at any payer."""
    found: set[int] = set()
    for wanted in parts.parts(row.id for row in rows):
        found.update(session.scalars(select(ClaimRow.charge_id).where(ClaimRow.charge_id.in_(wanted), ClaimRow.live)))
    return found


# For claims


def is_due_void() -> ColumnElement[bool]:
    """Holds for charges whose claim is to be taken back: they wait for a file though they are held."""
    return (ChargeRow.status == ChargeStatus.HELD) & (
        select(DifferenceRow.id)
        .join(ClaimRow, ClaimRow.id == DifferenceRow.claim_id)
        .where(
            ClaimRow.live,
            DifferenceRow.charge_id == ChargeRow.id,
            DifferenceRow.unresolved,
            DifferenceRow.state == DifferenceState.APPROVED,
            DifferenceRow.amendment == Amendment.VOID,
            DifferenceRow.version == ChargeRow.version,
        )
        .exists()
    )


@dataclass(frozen=True, slots=True)
class Approved:
    """What a person decided about a charge and is to be built: the difference, the claim that stands, the payer's number."""

    difference_id: int
    amendment: Amendment
    standing_id: int
    standing: str
    payer_rank: int
    file_id: int
    payer_claim_number: str = field(repr=False)

    def claim(self, session: Session, keyring: Keyring, number: str, charge: Charge) -> Claim:
        """The claim that amends. A void repeats what was sent, word for word, so that the payer finds it."""
        if self.amendment is Amendment.RENEW:
            return Claim(number=number, charge=charge)
        is_void = self.amendment is Amendment.VOID
        said = self._sent(session, keyring) if is_void else charge
        references = said.references.model_copy(update={"payer_claim_number": self.payer_claim_number})
        return Claim(
            number=number,
            charge=said.model_copy(update={"references": references}),
            frequency="8" if is_void else "7",
        )

    def _sent(self, session: Session, keyring: Keyring) -> Charge:
        content = session.get_one(ClaimFileRow, self.file_id).unseal(keyring, "content")
        (alone,) = (part.content for part in parting.part(content) if part.number == self.standing)
        (claim,) = reader.read(alone)
        return claim.charge


def approved(session: Session, keyring: Keyring, rows: Sequence[ChargeRow]) -> Mapping[int, Approved]:
    """What is to be built of charges, by charge."""
    found = session.execute(
        select(DifferenceRow, ClaimRow)
        .join(ClaimRow, ClaimRow.id == DifferenceRow.claim_id)
        .join(ChargeRow, ChargeRow.id == DifferenceRow.charge_id)
        .where(
            DifferenceRow.charge_id.in_([row.id for row in rows]),
            DifferenceRow.unresolved,
            DifferenceRow.state == DifferenceState.APPROVED,
            DifferenceRow.version == ChargeRow.version,
            ClaimRow.live,
        )
    )
    return {
        row.charge_id: Approved(
            row.id,
            row.amendment,
            claim.id,
            claim.number,
            claim.payer_rank,
            claim.claim_file_id,
            document_of(row, keyring).payer_claim_number,
        )
        for row, claim in found
    }


def retire(session: Session, built: Iterable[Approved]) -> None:
    """Take the claims that are amended out of what stands, before those that amend them are stored; else raise Stale."""
    for each in built:
        row = session.get(DifferenceRow, each.difference_id, with_for_update=True)
        claim = session.get(ClaimRow, each.standing_id, with_for_update=True)
        if row is None or claim is None or row.state is not DifferenceState.APPROVED or not claim.live:
            raise Stale(f"What was decided about claim {each.standing} changed meanwhile.")
        claim.live = False
    session.flush()


def made(session: Session, built: Mapping[int, Approved], now: datetime) -> None:
    """Write down, by charge, which claims amend; a void that could not be built goes back to the person who decided."""
    session.flush()
    for charge_id, each in built.items():
        row = session.get_one(DifferenceRow, each.difference_id)
        claim_id = session.scalar(
            select(ClaimRow.id).where(
                ClaimRow.charge_id == charge_id, ClaimRow.live, ClaimRow.payer_rank == each.payer_rank
            )
        )
        if claim_id is not None and claim_id != each.standing_id:
            row.made_claim_id = claim_id
            resolve(row, DifferenceState.SENT, now)
            _close_item(session, charge_id, now)
        elif each.amendment is Amendment.VOID:
            row.state = DifferenceState.OPEN


def _close_item(session: Session, charge_id: int, now: datetime) -> None:
    for item in session.scalars(
        select(ReviewItemRow).where(
            ReviewItemRow.charge_id == charge_id, ReviewItemRow.rule == RULE, ReviewItemRow.state == ItemState.OPEN
        )
    ):
        item.state, item.closed_at = ItemState.CLOSED, now


def replaced(session: Session, keyring: Keyring, before: ClaimRow, made: ClaimRow, number: str, now: datetime) -> None:
    """Write down that a claim to a later payer took the place of the one before it, under the payer's ``number``."""
    row = DifferenceRow(
        charge_id=before.charge_id,
        claim_id=before.id,
        made_claim_id=made.id,
        version=made.version,
        state=DifferenceState.SENT,
        unresolved=False,
        amendment=Amendment.REPLACE,
        bills_anew=False,
        is_numbered=True,
        found_at=now,
        decided_at=now,
    )
    seal(row, Document(payer_claim_number=number, proposal=Amendment.REPLACE), keyring)
    session.add(row)


# For acknowledgements


def superseded(session: Session, claims: Iterable[ClaimRow]) -> set[int]:
    """Those of claims, by id, whose place another one took: what is still answered about them decides nothing."""
    found: set[int] = set()
    for wanted in parts.parts({claim.id for claim in claims if not claim.live}):
        found.update(
            session.scalars(
                select(DifferenceRow.claim_id).where(
                    DifferenceRow.claim_id.in_(wanted),
                    DifferenceRow.state == DifferenceState.SENT,
                    DifferenceRow.amendment.in_(_IN_ITS_PLACE),
                )
            )
        )
    return found


def stand_again(session: Session, refused: Iterable[ClaimRow]) -> Mapping[int, str]:
    """Let the claims stand again that refused ones were to amend; their numbers by the refused claim.

    The refused claims are no longer live when this is called.
    """
    session.flush()
    again: dict[int, str] = {}
    for row in _made(session, [claim for claim in refused if claim.frequency != "1"]):
        standing = session.get_one(ClaimRow, row.claim_id, with_for_update=True)
        row.state = DifferenceState.REFUSED
        standing.live = True
        assert row.made_claim_id is not None
        again[row.made_claim_id] = standing.number
    session.flush()
    return again


def bill_anew(session: Session, voids: Iterable[ClaimRow]) -> set[int]:
    """Those charges of voids that the payer took that are billed again."""
    return {row.charge_id for row in _made(session, list(voids)) if row.bills_anew}


def _made(session: Session, claims: Sequence[ClaimRow]) -> Sequence[DifferenceRow]:
    found: list[DifferenceRow] = []
    for wanted in parts.parts(claim.id for claim in claims):
        found.extend(
            session.scalars(
                select(DifferenceRow).where(
                    DifferenceRow.made_claim_id.in_(wanted), DifferenceRow.state == DifferenceState.SENT
                )
            )
        )
    return found
