"""Whose charge it is, where its source does not plainly say so: asked before a charge is judged.

A charge of an authority for people with a record number is that person's, unless what is known of the number is another
person. A charge of any other source, once the practice knows anybody, and one without a number, is linked to the one
person who agrees (``matching``), to whom a person said, or held with the candidates. Nobody becomes known by this.

``settle`` writes the patient key, under which a charge shares its history with the others of the same person.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.orm import Session

from charges import documents, lifecycle
from charges.errors import Refused
from charges.keyring import Keyring
from charges.model import Charge, Finding, Severity
from charges.patients import register as patients
from charges.patients.matching import (
    Candidate,
    Demographics,
    Doubtful,
    Evidence,
    Linked,
    Reason,
    compare,
    match,
    may_be_restated,
)
from charges.patients.register import Found
from charges.tables import (
    ChargeRow,
    ChargeStatus,
    ClaimRow,
    HistoryLineRow,
    ItemState,
    PatientLinkRow,
    PatientRow,
    PatientSearchKeyRow,
    ReviewItemRow,
)

ACTOR = "identity"
NOT_TOLD = "PAT-001"
"""The finding of a charge of which it cannot be told whose it is."""
CONTRADICTED = "PAT-002"
"""The finding of a charge whose record number is somebody else's."""
WHOSE = frozenset({NOT_TOLD, CONTRADICTED})
"""The findings about whose charge it is; their evidence is the candidates."""
_OF_CHARGE = (
    update(HistoryLineRow)
    .where(HistoryLineRow.charge_id == bindparam("of"))
    .values(patient_key=bindparam("key"))
    .execution_options(synchronize_session=False)
)
_SHOWN = 8
"""So many candidates are put before a person."""
_AT_ONCE = 500
_LATE = timedelta(minutes=15)
"""A page may be committed so long after the moment that its rows carry."""


@dataclass(frozen=True, slots=True)
class _Verdict:
    """The patient key of a charge; why, where that needs a word; or why it cannot be told whose the charge is."""

    key: str
    because: str = ""
    doubt: Doubtful | None = None
    lapsed: bool = False


def settle(
    session: Session,
    keyring: Keyring,
    practice_id: int,
    charges: Mapping[ChargeRow, Charge],
    now: datetime,
) -> Mapping[ChargeRow, Finding]:
    """Give each charge the patient key of whose it is; returns the finding of each of which that cannot be told."""
    verdicts = _verdicts(session, keyring, practice_id, charges)
    moved = {row: verdict for row, verdict in verdicts.items() if row.patient_key != verdict.key}
    for row, verdict in moved.items():
        row.patient_key = verdict.key
    if moved:
        session.connection().execute(_OF_CHARGE, [{"of": row.id, "key": verdict.key} for row, verdict in moved.items()])
    lifecycle.note_each(
        session,
        [
            (row, lifecycle.Deed("matched", ACTOR, now, keyring, verdict.because))
            for row, verdict in moved.items()
            if verdict.because
        ],
    )
    return {row: _finding(row, charges[row], verdict) for row, verdict in verdicts.items() if verdict.doubt}


def look_again(session: Session, keyring: Keyring, practice_id: int, now: datetime) -> None:
    """Have those held charges judged again of which it can be told by now whose they are."""
    is_out = select(ClaimRow.id).where(ClaimRow.charge_id == ChargeRow.id, ClaimRow.live).exists()
    in_doubt = select(ReviewItemRow.id).where(
        ReviewItemRow.charge_id == ChargeRow.id,
        ReviewItemRow.rule.in_(WHOSE),
        ReviewItemRow.state == ItemState.OPEN,
    )
    changed = select(PatientRow.id).where(
        PatientRow.practice_id == practice_id,
        or_(PatientRow.changed_at >= ChargeRow.changed_at, PatientRow.changed_at >= now - _LATE),
    )
    decided = select(PatientLinkRow.id).where(
        PatientLinkRow.practice_id == practice_id,
        or_(PatientLinkRow.decided_at >= ChargeRow.changed_at, PatientLinkRow.decided_at >= now - _LATE),
    )
    more_is_known = or_(changed.exists(), decided.exists())
    after = 0
    while True:
        rows = session.scalars(
            select(ChargeRow)
            .where(
                ChargeRow.practice_id == practice_id,
                ChargeRow.status == ChargeStatus.HELD,
                ChargeRow.id > after,
                in_doubt.exists(),
                more_is_known,
                ~is_out,
            )
            .order_by(ChargeRow.id)
            .limit(_AT_ONCE)
            .with_for_update(skip_locked=True)
        ).all()
        if not rows:
            return
        after = rows[-1].id
        verdicts = _verdicts(session, keyring, practice_id, documents.read(session, keyring, rows))
        told = [row for row in rows if verdicts[row].doubt is None]
        lifecycle.move(session, told, ChargeStatus.CAPTURED, lifecycle.Deed("person found", ACTOR, now, keyring))


def decide(
    session: Session,
    keyring: Keyring,
    row: ChargeRow,
    charge: Charge,
    patient_number: int | None,
    by: str,
    now: datetime,
) -> None:
    """A person says whose charge it is, or (``None``) that it is of none of those known; remembered for what follows.

    It holds for the charges in which the source says the same of the person under the same number, without a number for
    this charge alone. The caller is the only one who does this for the practice. Raises Refused.
    """
    if _is_plain(keyring, row, charge):
        raise Refused(
            f"Charge {row.id} has the record number of somebody known, and nothing is against it. If the number is wrong, "
            "have it corrected at the source."
        )
    said = patients.description_of(charge)
    told = patients.told_by(keyring, said)
    if patient_number is not None:
        patient = session.get(PatientRow, patient_number)
        if patient is None or patient.practice_id != row.practice_id:
            raise Refused(
                f"This practice knows no patient {patient_number}. `charges review show {row.id}` lists the candidates."
            )
        if patients.is_registered(row.source, charge) and _owns(session, keyring, patient, said):
            patients.restate(session, keyring, patient, said, now)
    subject = _subject(keyring, row, said)
    link = session.scalar(select(PatientLinkRow).where(PatientLinkRow.subject == subject).with_for_update())
    if link is None:
        link = PatientLinkRow(practice_id=row.practice_id, subject=subject)
        session.add(link)
    link.told, link.patient_id, link.actor, link.decided_at = told, patient_number, by[:80], now


def _owns(session: Session, keyring: Keyring, patient: PatientRow, said: Demographics) -> bool:
    """Whether nobody but a patient is known by the numbers of a description."""
    keys = [patients.number_key(keyring, patient.practice_id, *each) for each in said.numbers]
    owners = session.scalars(select(PatientSearchKeyRow.patient_id).where(PatientSearchKeyRow.key.in_(keys)))
    return set(owners) <= {patient.id}


def _verdicts(
    session: Session,
    keyring: Keyring,
    practice_id: int,
    charges: Mapping[ChargeRow, Charge],
) -> Mapping[ChargeRow, _Verdict]:
    """Whose charges are."""
    asked = _asked(session, keyring, practice_id, charges)
    verdicts = {
        row: _Verdict(patients.stated_key(keyring, practice_id, charge))
        for row, charge in charges.items()
        if row not in asked
    }
    if not asked:
        return verdicts
    links = _links(session, keyring, asked)
    found = patients.find(session, keyring, practice_id, asked)
    decided: dict[ChargeRow, Linked | Doubtful | PatientLinkRow | None] = {}
    for row, said in asked.items():
        link = links.get(row)
        if link is not None and link.told == patients.told_by(keyring, said):
            decided[row] = link
        elif patients.is_registered(row.source, charges[row]):
            decided[row] = _registered(said, found[row])
        else:
            each = found[row]
            decided[row] = match(said, each.candidates, cut_short=each.cut_short)
    keys = _keys_of(session, decided.values())
    for row, decision in decided.items():
        if decision is None:
            verdicts[row] = _Verdict(patients.stated_key(keyring, practice_id, charges[row]))
        elif isinstance(decision, Doubtful):
            alone = patients.charge_key(keyring, practice_id, row.source, row.key)
            verdicts[row] = _Verdict(alone, doubt=decision, lapsed=row in links)
        elif isinstance(decision, Linked):
            number, evidence = decision.candidate.patient, decision.evidence
            because = f"Patient {number} by {evidence.by}. {evidence.sentence()}."
            verdicts[row] = _Verdict(keys[number], "" if evidence.by == "number" else because)
        elif decision.patient_id is None:
            verdicts[row] = _Verdict(decision.subject, f"Nobody known, as {decision.actor} said.")
        else:
            verdicts[row] = _Verdict(
                keys[decision.patient_id], f"Patient {decision.patient_id}, as {decision.actor} said."
            )
    return verdicts


def _asked(
    session: Session,
    keyring: Keyring,
    practice_id: int,
    charges: Mapping[ChargeRow, Charge],
) -> dict[ChargeRow, Demographics]:
    """The descriptions of those charges whose source does not plainly say whose they are."""
    of_others = any(row.source not in patients.AUTHORITIES for row in charges)
    asks_of_others = of_others and patients.anybody(session, practice_id)
    return {
        row: patients.description_of(charge)
        for row, charge in charges.items()
        if (asks_of_others if row.source not in patients.AUTHORITIES else not _is_plain(keyring, row, charge))
    }


def _is_plain(keyring: Keyring, row: ChargeRow, charge: Charge) -> bool:
    """Whether an authority says by a number whose charge it is, and ``patients.learn`` found nothing against it."""
    is_registered = patients.is_registered(row.source, charge)
    return is_registered and row.patient_key == patients.stated_key(keyring, row.practice_id, charge)


def _registered(said: Demographics, found: Found) -> Linked | Doubtful | None:
    """Whose number it is that an authority gave; ``None`` where nobody is known by it yet."""
    numbers = set(said.numbers)
    by_number = [each for each in found.candidates if numbers & set(each.demographics.numbers)]
    if not by_number:
        return None
    compared = tuple((each, compare(said, each.demographics)) for each in by_number)
    if len(by_number) == 1 and may_be_restated(by_number[0].demographics, said):
        return Linked(by_number[0], Evidence(compared[0][1].facts, by="number"))
    return Doubtful(Reason.CONTRADICTED, compared)


def _links(
    session: Session, keyring: Keyring, asked: Mapping[ChargeRow, Demographics]
) -> dict[ChargeRow, PatientLinkRow]:
    """What persons decided about the people of charges, whether it still holds or not."""
    subjects = {row: _subject(keyring, row, said) for row, said in asked.items()}
    found = session.scalars(select(PatientLinkRow).where(PatientLinkRow.subject.in_(set(subjects.values()))))
    links = {link.subject: link for link in found}
    return {row: links[subject] for row, subject in subjects.items() if subject in links}


def _subject(keyring: Keyring, row: ChargeRow, said: Demographics) -> str:
    """What a person decides about: the source's number of somebody, or the charge where it gives none."""
    if not said.numbers:
        return patients.charge_key(keyring, row.practice_id, row.source, row.key)
    return keyring.fingerprint(f"{row.practice_id} subject {json.dumps([row.source, *said.numbers[0]])}")


def _keys_of(session: Session, decided: Collection[Linked | Doubtful | PatientLinkRow | None]) -> Mapping[int, str]:
    """The patient keys of those who are the person of a charge, by their numbers."""
    numbers = {each.candidate.patient for each in decided if isinstance(each, Linked)}
    numbers |= {each.patient_id for each in decided if isinstance(each, PatientLinkRow) and each.patient_id is not None}
    found = session.execute(select(PatientRow.id, PatientRow.key).where(PatientRow.id.in_(numbers)))
    return {number: key for number, key in found}  # noqa: C416 - rows are tuples to us, not to the type checker


# What a person is told


def _finding(row: ChargeRow, charge: Charge, verdict: _Verdict) -> Finding:
    doubt = verdict.doubt
    assert doubt is not None
    is_contradicted = doubt.reason is Reason.CONTRADICTED
    sentences = [_SENTENCES[doubt.reason](doubt.candidates)]
    missing = [
        what
        for what, known in (("first name", charge.patient.first_name), ("birth date", charge.patient.birth_date))
        if not known
    ]
    if missing:
        sentences.append(f"It has no {' and no '.join(missing)}, without which nobody is linked.")
    if verdict.lapsed:
        sentences.append(
            "What was decided before holds no longer, because the source tells otherwise of the person now."
        )
    return Finding(
        rule=CONTRADICTED if is_contradicted else NOT_TOLD,
        severity=Severity.HOLD,
        at="patient.record_number" if is_contradicted else "patient",
        message=" ".join(sentences),
        evidence={
            f"patient {each.patient}": f"{_described(each.demographics)}; {evidence.sentence()}"
            for each, evidence in doubt.candidates[:_SHOWN]
        },
        fix=_fix(row, doubt),
    )


def _fix(row: ChargeRow, doubt: Doubtful) -> str:
    none = f"`charges review link {row.id} --none --reason WHY`"
    if not doubt.candidates:
        return (
            "Have the person registered, or name, birth date or number corrected at the source; it is then found by "
            f"itself. If the person need not be known, {none}."
        )
    return (
        f"Compare the candidates, then `charges review link {row.id} PATIENT --reason WHY`, or {none} if it is none of "
        "them; or have the charge corrected at the source."
    )


def _contradiction(candidates: Sequence[tuple[Candidate, Evidence]]) -> str:
    differ = sorted({name for _, evidence in candidates for name in evidence.against})
    return f"The record number is that of somebody who differs in {', '.join(differ) or 'several facts'}."


_SENTENCES = {
    Reason.NOBODY: lambda _: "Nobody known to the practice resembles the person of this charge.",
    Reason.UNCERTAIN: lambda found: (
        f"Known to the practice: {len(found)} who resemble the person of this charge, and of none does enough agree."
    ),
    Reason.SEVERAL: lambda found: (
        f"Known to the practice: {sum(bool(each.by) for _, each in found)} who agree with the person of this charge, and "
        "it can be of one only."
    ),
    Reason.CUT_SHORT: lambda _: "More people resemble the person of this charge than can be compared.",
    Reason.CONTRADICTED: _contradiction,
}


def _described(person: Demographics) -> str:
    """Who a candidate is, for a person who has the practice's system before them."""
    names = [*person.first_names[:1], person.middle_name, *person.last_names[:1], person.suffix]
    numbers = [number for _, number in person.numbers]
    born = f"born {person.birth_date}" if person.birth_date else "birth date unknown"
    return ", ".join([" ".join(filter(None, names)), born, *(f"number {each}" for each in numbers[:2])])
