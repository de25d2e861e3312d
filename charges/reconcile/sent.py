"""Whether two first claims of a charge went to the same payer, and nothing stored says that the earlier one is gone."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from charges.parts import parts
from charges.reconcile.stored import StoredCharge, StoredClaim
from charges.reconcile.values import Break
from charges.tables import NEVER_SENT, AnswerRow, DifferenceRow, DifferenceState
from charges.x12.answers import Outcome

_REFUSES = (Outcome.REJECTED.value, Outcome.PARTLY.value)


def twice(session: Session, charges: Sequence[StoredCharge]) -> Iterator[Break]:
    """The charges of which the same payer was asked twice by a claim of frequency 1."""
    followed = [(charge, earlier, later) for charge in charges for earlier, later in _first_claims(charge)]
    for some in parts(followed):
        explained = _explained(session, [earlier for _, earlier, _ in some])
        for charge, earlier, later in some:
            if earlier.live or earlier.id not in explained:
                yield Break(
                    "billed-twice",
                    f"charge {charge.id}",
                    f"Claims {earlier.number} and {later.number} of charge {charge.id} both ask the same payer as first "
                    f"claims, and no reply or decision says that {earlier.number} is not there.",
                    "Ask the payer which of them it has, and void the other.",
                )


def _first_claims(charge: StoredCharge) -> Iterator[tuple[StoredClaim, StoredClaim]]:
    """Each claim of frequency 1 that left, with the next one to the same payer."""
    by_rank: dict[int, list[StoredClaim]] = {}
    for claim in charge.claims:
        if claim.frequency == "1" and claim.file_status not in NEVER_SENT:
            by_rank.setdefault(claim.rank, []).append(claim)
    for claims in by_rank.values():
        yield from pairwise(claims)


def _explained(session: Session, claims: Sequence[StoredClaim]) -> set[int]:
    """Those that a reply refused, alone or with their file, or that a person decided to replace, void or send anew."""
    ids = [each.id for each in claims]
    refused = session.execute(
        select(AnswerRow.claim_file_id, AnswerRow.claim_id).where(
            AnswerRow.outcome.in_(_REFUSES),
            or_(
                AnswerRow.claim_id.in_(ids),
                and_(AnswerRow.claim_id.is_(None), AnswerRow.claim_file_id.in_({each.file_id for each in claims})),
            ),
        )
    ).all()
    decided = session.scalars(
        select(DifferenceRow.claim_id).where(
            DifferenceRow.claim_id.in_(ids), DifferenceRow.state == DifferenceState.SENT
        )
    )
    files = {file_id for file_id, claim_id in refused if claim_id is None}
    return (
        {claim_id for _, claim_id in refused if claim_id is not None}
        | set(decided)
        | {each.id for each in claims if each.file_id in files}
    )
